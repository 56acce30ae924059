import AccessPolicy
import AuditLog
import EventLoop
import GatewayConfiguration

/// What the audit thread does: it takes records from the mailbox, writes them in batches and answers for them.
/// One thread owns it.
final class AuditWriting {
  let output: any AuditOutput
  let durability: Audit.Durability
  let status: AuditStatus
  let mailbox: Mailbox<AuditMessage>
  let encoder: RecordEncoder
  let now: @Sendable () -> Timestamp
  var alarm: AuditAlarm

  /// Behind the last record that the log has whole.
  var chain: RecordChain
  /// The output's last byte is no end of line.
  var lineIsOpen: Bool
  /// Some gap record must still say that the line before it is torn.
  var tearIsUntold: Bool
  /// Some gap record must still say that the file was removed.
  var removalIsUntold = false
  var failure: SystemError?
  var nextProbe = MonotonicTime.distantFuture
  var stopAt: MonotonicTime?

  /// The records that are being written.
  private var batch: [QueuedRecord] = []
  /// Messages in their order; those before `next` are done.
  private var inbox: [AuditMessage] = []
  private var next = 0

  /// Lines that are written together.
  private static let batchBytes = 1 << 18

  init(
    output: any AuditOutput, durability: Audit.Durability, chain: RecordChain, isTorn: Bool,
    status: AuditStatus, mailbox: Mailbox<AuditMessage>, encoder: RecordEncoder, alarm: AuditAlarm,
    now: @escaping @Sendable () -> Timestamp
  ) {
    self.output = output
    self.durability = durability
    self.chain = chain
    self.lineIsOpen = isTorn
    self.tearIsUntold = isTorn
    self.status = status
    self.mailbox = mailbox
    self.encoder = encoder
    self.alarm = alarm
    self.now = now
  }

  func run() {
    if tearIsUntold { tellGap() }
    while true {
      collect()
      while takeBatch() { writeBatch() }
      if next == inbox.count, stopAt != nil { break }
      if failure != nil, MonotonicTime.now() >= nextProbe { tellGap() }
      let probe = failure == nil ? -1 : nextProbe.timeoutMilliseconds(from: .now())
      _ = FileCalls.poll(wake: mailbox.descriptor, output: nil, milliseconds: probe)
    }
    if failure != nil { tellGap() }
    output.close()
  }

  /// Takes what was posted behind what is not done yet.
  func collect() {
    var fresh: [AuditMessage] = []
    mailbox.drain(into: &fresh)
    inbox.removeFirst(next)
    next = 0
    inbox += fresh
    for case .stop(let deadline) in fresh { stopAt = min(stopAt ?? deadline, deadline) }
  }

  /// Takes the next records, as many as are written together; control messages before them are obeyed.
  private func takeBatch() -> Bool {
    var bytes = 0
    while next < inbox.count, bytes < Self.batchBytes {
      switch inbox[next] {
      case .record(let record):
        batch.append(record)
        bytes += record.record.bytes.count
      case .reopen:
        guard batch.isEmpty else { return true }
        reopen()
      case .stop: break
      }
      next += 1
    }
    return !batch.isEmpty
  }

  private func writeBatch() {
    status.busy(since: .now())
    var sealed = SealedBatch(chain: chain)
    var good = 0
    if isReady() {
      // The chain may have moved: a file that was made anew begins with a gap record.
      sealed = SealedBatch(chain: chain)
      for record in batch { sealed.add(record.record) }
      good = put(sealed)
    }
    status.busy(since: nil)
    answer(sealed.lines.prefix(good))
    // What a full queue kept out is told behind the records that filled it.
    if failure == nil, !status.current.untold.isNothing { tellGap() }
    if failure == nil, alarm.isRaised { alarm.end(output.name, .init()) }
  }

  /// Answers for the batch: its first records have these lines, the rest have none.
  private func answer(_ lines: ArraySlice<SealedBatch.Line>) {
    let bytes = batch.reduce(0) { $0 + $1.record.bytes.count }
    let rest = batch.dropFirst(lines.count)
    let waives = status.allowsUnlogged && stopAt == nil
    // The state changes before the answers: who is answered sees it as it is.
    status.released(
      records: batch.count, bytes: bytes, lost: UInt64(rest.count),
      unlogged: waives ? UInt64(rest.count { $0.isAwaited }) : 0)
    for (record, line) in zip(batch, lines) { record.written(sequence: line.sequence) }
    for record in rest { waives ? record.waived(problem) : record.refused(problem) }
    batch = []
  }

  /// Lets in whoever waits for a record that takes too long, where that is allowed. The records themselves
  /// keep their places: they are written as soon as they can be.
  func waiveWaiting(_ problem: AuditUnavailable) {
    guard status.allowsUnlogged, stopAt == nil else { return }
    var waiting: [QueuedRecord] = []
    for index in batch.indices where batch[index].isAwaited {
      waiting.append(batch[index])
      batch[index].answering = nil
    }
    for index in next..<inbox.count {
      guard case .record(var record) = inbox[index], record.isAwaited else { continue }
      waiting.append(record)
      record.answering = nil
      inbox[index] = .record(record)
    }
    status.waived(UInt64(waiting.count))
    for record in waiting { record.waived(problem) }
  }

  var problem: AuditUnavailable {
    let cause = failure.map(FileCalls.describe) ?? "shut down"
    return AuditUnavailable(message: "cannot write the audit log \(output.name): \(cause)")
  }
}
