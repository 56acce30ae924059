import AccessPolicy
import AuditLog
import EventLoop
import Glibc

/// What the audit thread does. One thread owns it.
final class AuditWriting {
  private let output: any AuditOutput
  private let status: AuditStatus
  private let mailbox: Mailbox<AuditMessage>
  private let encoder: RecordEncoder
  private let now: @Sendable () -> Timestamp

  /// Behind the last record that the kernel has whole.
  private var chain: RecordChain
  /// The output's last byte is no end of line.
  private var lineIsOpen: Bool
  /// Some gap record must still say that the line before it is torn.
  private var tearIsUntold: Bool
  /// Messages in their order; those before `next` are done.
  private var inbox: [AuditMessage] = []
  private var next = 0
  private var failure: SystemError?
  private var nextProbe = MonotonicTime.distantFuture
  private var stopAt: MonotonicTime?

  private static let probeInterval = Duration.seconds(1)
  /// Lines that are written together.
  private static let batchBytes = 1 << 18

  init(
    output: any AuditOutput, chain: RecordChain, isTorn: Bool, status: AuditStatus,
    mailbox: Mailbox<AuditMessage>, encoder: RecordEncoder, now: @escaping @Sendable () -> Timestamp
  ) {
    self.output = output
    self.chain = chain
    self.lineIsOpen = isTorn
    self.tearIsUntold = isTorn
    self.status = status
    self.mailbox = mailbox
    self.encoder = encoder
    self.now = now
  }

  func run() {
    if tearIsUntold { tellGap() }
    while true {
      collect()
      while let batch = nextBatch() { write(batch) }
      if next == inbox.count, stopAt != nil { break }
      if failure != nil, MonotonicTime.now() >= nextProbe { tellGap() }
      let probe = failure == nil ? -1 : nextProbe.timeoutMilliseconds(from: .now())
      _ = FileCalls.poll(wake: mailbox.descriptor, output: nil, milliseconds: probe)
    }
    if failure != nil { tellGap() }
    output.close()
  }

  /// Takes what was posted behind what is not done yet.
  private func collect() {
    var fresh: [AuditMessage] = []
    mailbox.drain(into: &fresh)
    inbox.removeFirst(next)
    next = 0
    inbox += fresh
    for case .stop(let deadline) in fresh { stopAt = min(stopAt ?? deadline, deadline) }
  }

  /// The next records, as many as are written together; control messages before them are obeyed.
  private func nextBatch() -> [QueuedRecord]? {
    var records: [QueuedRecord] = []
    var bytes = 0
    while next < inbox.count, bytes < Self.batchBytes {
      switch inbox[next] {
      case .record(let record):
        records.append(record)
        bytes += record.record.bytes.count
      case .reopen:
        guard records.isEmpty else { return records }
        reopen()
      case .stop: break
      }
      next += 1
    }
    return records.isEmpty ? nil : records
  }

  private func write(_ records: [QueuedRecord]) {
    var batch = SealedBatch(chain: chain)
    var good = 0
    if failure == nil {
      for record in records { batch.add(record.record) }
      good = write(batch)
    }
    let bytes = records.reduce(0) { $0 + $1.record.bytes.count }
    // The state changes before the answers: who is answered sees it as it is.
    status.released(records: records.count, bytes: bytes, lost: UInt64(records.count - good))
    for (record, line) in zip(records, batch.lines.prefix(good)) { record.written(sequence: line.sequence) }
    for record in records.dropFirst(good) { record.refused(problem) }
    // What a full queue kept out is told behind the records that filled it.
    if failure == nil, status.current.untold.count > 0 { tellGap() }
  }

  /// Writes an `audit-gap`, which also is the probe whether writing works again.
  private func tellGap() {
    let loss = status.current.untold
    let gap = AuditEvent.AuditGap(
      lost: loss.count, cause: gapCause(loss), code: failure?.name, since: loss.since,
      tornLine: tearIsUntold)
    var batch = SealedBatch(chain: chain)
    if lineIsOpen { batch.endTornLine() }
    batch.add(encoder.encode(.auditGap(gap), id: .random(in: .min ... .max), at: now()))
    failure = nil
    guard write(batch) == 1 else { return }
    tearIsUntold = false
    status.told(of: loss)
  }

  private func gapCause(_ loss: AuditStatus.Loss) -> String {
    if let failure { return "\(output.name): \(failure)" }
    return loss.count > 0 ? "the log's reader was too slow" : "the last line was cut off when it was written"
  }

  private func reopen() {
    do {
      if let isTorn = try output.reopen() { lineIsOpen = isTorn }
      status.reopened(problem: nil)
    } catch {
      // Records go on into the file that was rotated away: none is lost by it.
      status.reopened(problem: "cannot reopen the audit log \(output.name): \(error)")
    }
    if lineIsOpen { tearIsUntold = true }
    if lineIsOpen || failure != nil { tellGap() }
  }

  /// - Returns: how many lines the kernel has whole.
  private func write(_ batch: SealedBatch) -> Int {
    let (written, failure) = writeAll(batch.bytes)
    let whole = batch.lines.prefix { $0.end <= written }
    if let last = whole.last { chain = last.chain }
    let lastEnd = whole.last?.end ?? batch.start
    if written >= lastEnd { lineIsOpen = false }
    guard let failure else { return whole.count }
    if written > lastEnd, !output.takeBack(written - lastEnd) {
      lineIsOpen = true
      tearIsUntold = true
      // Only its end of line is missing: the next start would read it as a whole record, and so do we.
      let torn = batch.lines[whole.count]
      if written == torn.end - 1 { chain = torn.chain }
    }
    self.failure = failure
    nextProbe = .now() + Self.probeInterval
    status.failed(problem)
    return whole.count
  }

  private func writeAll(_ bytes: [UInt8]) -> (written: Int, failure: SystemError?) {
    var rest = bytes[...]
    while !rest.isEmpty {
      switch output.write(rest) {
      // A write of some bytes never comes to none (write(2)); a destination that does so is broken.
      case .written(0): return (rest.startIndex, SystemError(call: "write", code: EIO))
      case .written(let count): rest = rest.dropFirst(count)
      case .wouldBlock:
        guard waitForReader() else { return (rest.startIndex, SystemError(call: "write", code: ETIMEDOUT)) }
      case .failed(let failure): return (rest.startIndex, failure)
      }
    }
    return (bytes.count, nil)
  }

  /// - Returns: false when the time to stop has come.
  private func waitForReader() -> Bool {
    let remaining = stopAt?.timeoutMilliseconds(from: .now())
    if remaining == 0 { return false }
    let ready = FileCalls.poll(
      wake: mailbox.descriptor, output: output.descriptor, milliseconds: remaining ?? -1)
    if ready.wake { collect() }
    return true
  }

  private var problem: AuditUnavailable {
    let cause = failure.map { "\($0)" } ?? "shut down"
    return AuditUnavailable(message: "cannot write the audit log \(output.name): \(cause)")
  }
}
