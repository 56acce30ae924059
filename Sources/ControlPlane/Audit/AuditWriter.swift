package import AccessPolicy
package import AuditLog
import EventLoop
package import GatewayConfiguration
import Synchronization

/// The audit log cannot be opened or is not one.
package struct AuditDestinationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong and what to do, for people.
  package var message: String

  package var description: String { message }
}

/// The thread that writes the audit log.
///
/// Records are queued by any thread, sealed into the chain, written in batches, and answered for once the
/// kernel, or the disk, has them. While nothing can be written, records are lost and counted, and whoever waits
/// for one is refused or let in, as configured; a probe is made every second, and an `audit-gap` record is the
/// first that gets through. Its owner must call ``shutdown(within:)`` before letting go of it.
package final class AuditWriter: AuditSink {
  /// How much may wait for a slow reader.
  package struct Capacity: Hashable, Sendable {
    package var records: Int
    package var bytes: Int

    package init(records: Int = 65_536, bytes: Int = 1 << 26) {
      self.records = records
      self.bytes = bytes
    }
  }

  private let status: AuditStatus
  private let mailbox: Mailbox<AuditMessage>
  private let thread: WorkerThread

  /// Opens the destination and starts the thread. An existing file's chain is continued; a torn last line is
  /// closed, and an `audit-gap` record tells of it.
  ///
  /// - Parameters:
  ///   - configuration: where to, how durably, and what to do where that cannot be.
  ///   - encoder: for the `audit-gap` records that the writer makes itself.
  ///   - integrity: the digest that chains the records; nil for a log without a chain.
  ///   - now: the wall clock.
  package convenience init(
    _ configuration: Audit, encoder: RecordEncoder, integrity: Digest?, capacity: Capacity = Capacity(),
    now: @escaping @Sendable () -> Timestamp = { Timestamp(nanoseconds: wallClockNanoseconds()) }
  ) throws(AuditDestinationError) {
    let output = try FileOutput(configuration)
    let tail: ChainTail?
    do { tail = try output.tail(sealedBy: integrity) } catch {
      output.close()
      throw error
    }
    // What is said among the records would be no record.
    let isQuiet = output.isStandardError
    try self.init(
      output: output, tail: tail, configuration, encoder: encoder, integrity: integrity, capacity: capacity,
      say: { if !isQuiet { Console.errorAtOnce($0) } }, now: now)
  }

  /// - Parameters:
  ///   - tail: where the chain of the output stands, if it has one.
  ///   - say: tells a line to people; it must not block.
  init(
    output: sending any AuditOutput, tail: ChainTail?, _ configuration: Audit, encoder: RecordEncoder,
    integrity: Digest?, capacity: Capacity, say: @escaping @Sendable (String) -> Void,
    now: @escaping @Sendable () -> Timestamp
  ) throws(AuditDestinationError) {
    let allowsUnlogged = configuration.whenUnavailable == .allowUnlogged
    let status = AuditStatus(capacity: capacity, allowsUnlogged: allowsUnlogged, now: now)
    do {
      let mailbox = try Mailbox<AuditMessage>()
      let writing = AuditWriting(
        output: output, durability: configuration.durability, chain: Self.chain(after: tail, integrity),
        isTorn: tail?.isTorn ?? false, status: status, mailbox: mailbox, encoder: encoder,
        alarm: AuditAlarm(allowsUnlogged: allowsUnlogged, say: say), now: now)
      let handOver = Mutex<AuditWriting?>(writing)
      self.mailbox = mailbox
      self.thread = try WorkerThread(name: "audit") { handOver.withLock { $0.take() }?.run() }
    } catch {
      throw AuditDestinationError(message: "cannot start the audit writer: \(error)")
    }
    self.status = status
  }

  /// Whether a record would be taken now, and in time.
  package var isAvailable: Bool { status.problem == nil }
  /// Why no record would be taken now, for people.
  package var problem: String? { status.problem?.message }
  /// Records that were lost or refused since the start.
  package var lostCount: UInt64 { status.current.lostInAll }
  /// Connections that were let in without a record since the start.
  package var unloggedCount: UInt64 { status.current.unloggedInAll }
  /// Records that wait to be written.
  package var queuedCount: Int { status.current.records }
  /// Why the last ``reopen()`` left the old file in use, for people.
  package var reopenProblem: String? { status.current.reopenProblem }

  package func append(_ record: EncodedRecord) { _ = enqueue(record, nil) }

  package func append(_ record: EncodedRecord, answering: @escaping AuditAnswer) {
    let asked = QueuedRecord(record: record, answering: answering)
    switch enqueue(record, answering) {
    case .queued: break
    case .waived(let problem): asked.waived(problem)
    case .refused(let problem): asked.refused(problem)
    }
  }

  /// Opens the path again, behind the records that are queued now; the new file continues the chain.
  package func reopen() { mailbox.post(.reopen) }

  /// Takes no more records, writes those that are queued, and ends the thread. What cannot be written
  /// within the time is refused and counted. Only a disk that does not answer can make it last longer.
  package func shutdown(within time: Duration) {
    status.close()
    mailbox.post(.stop(MonotonicTime.now() + time))
    thread.join()
  }

  private func enqueue(_ record: EncodedRecord, _ answering: AuditAnswer?) -> AuditStatus.Admission {
    status.admit(record.bytes.count, isAwaited: answering != nil) {
      mailbox.post(.record(QueuedRecord(record: record, answering: $0 ? answering : nil)))
    }
  }

  private static func chain(after tail: ChainTail?, _ integrity: Digest?) -> RecordChain {
    let fresh = RecordChain.Position.genesis(uid: .random(in: .min ... .max))
    guard integrity == nil else { return RecordChain(at: tail?.position ?? fresh, digest: integrity) }
    return RecordChain(uid: fresh.uid, sequence: tail?.sequence ?? 0, previous: fresh.previous, digest: nil)
  }
}

/// A record on its way to the thread.
struct QueuedRecord: Sendable {
  var record: EncodedRecord
  /// Nil where nobody waits for the record.
  var answering: AuditAnswer?

  var isAwaited: Bool { answering != nil }

  /// The log has the record, as durably as configured: the only place where a receipt is made.
  func written(sequence: UInt64) { answering?(.success(.recorded(AuditReceipt(sequence: sequence)))) }

  /// There is no record in time, and the configuration says `allow_unlogged` (``AuditStatus`` and
  /// ``AuditWriting`` ask it): the only place where a waiver is made.
  func waived(_ problem: AuditUnavailable) { answering?(.success(.waived(AuditWaiver(problem)))) }

  func refused(_ problem: AuditUnavailable) { answering?(.failure(problem)) }
}

enum AuditMessage: Sendable {
  case record(QueuedRecord)
  case reopen
  /// Write what is queued until then, and end.
  case stop(MonotonicTime)
}
