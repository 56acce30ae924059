import AuditLog
import EventLoop
import GatewayConfiguration
import Glibc

extension AuditWriting {
  /// How often a log that cannot be written is tried again.
  private static let probeInterval = Duration.seconds(1)

  /// Writes a batch, and syncs it where that was promised.
  ///
  /// - Returns: how many lines, from the first on, the log has as durably as configured.
  func put(_ batch: SealedBatch) -> Int {
    var (written, failure) = writeAll(batch.bytes)
    let whole = batch.lines.prefix { $0.end <= written }
    var accepted = whole
    if durability == .synced, !whole.isEmpty, let problem = output.sync() {
      // The kernel may have dropped what it could not write (fsync(2), NOTES): a later sync that succeeds
      // says nothing of these lines. They are taken back, and were never accepted.
      failure = problem
      accepted = []
    }
    let end = accepted.last?.end ?? batch.start
    if let last = accepted.last { chain = last.chain }
    if written >= end { lineIsOpen = false }
    guard let failure else { return accepted.count }
    if written > end, !output.takeBack(written - end) { keep(batch, whole, written) }
    fail(failure)
    return accepted.count
  }

  /// What cannot be taken back stays in the chain.
  private func keep(_ batch: SealedBatch, _ whole: ArraySlice<SealedBatch.Line>, _ written: Int) {
    if let last = whole.last { chain = last.chain }
    guard written > whole.last?.end ?? batch.start else { return }
    lineIsOpen = true
    tearIsUntold = true
    // Only its end of line is missing: the next start would read it as a whole record, and so do we.
    let torn = batch.lines[whole.count]
    if written == torn.end - 1 { chain = torn.chain }
  }

  private func fail(_ failure: SystemError) {
    self.failure = failure
    nextProbe = .now() + Self.probeInterval
    status.failed(problem)
    alarm.raise(problem)
  }

  private func writeAll(_ bytes: [UInt8]) -> (written: Int, failure: SystemError?) {
    var rest = bytes[...]
    let patienceEnd = MonotonicTime.now() + AuditStatus.patience
    while !rest.isEmpty {
      switch output.write(rest) {
      // A write of some bytes never comes to none (write(2)); a destination that does so is broken.
      case .written(0): return (rest.startIndex, SystemError(call: "write", code: EIO))
      case .written(let count): rest = rest.dropFirst(count)
      case .wouldBlock:
        guard waitForReader(patienceEnd) else {
          return (rest.startIndex, SystemError(call: "write", code: ETIMEDOUT))
        }
      case .failed(let failure): return (rest.startIndex, failure)
      }
    }
    return (bytes.count, nil)
  }

  /// - Returns: false when the time to stop has come.
  private func waitForReader(_ patienceEnd: MonotonicTime) -> Bool {
    let now = MonotonicTime.now()
    if let stopAt, stopAt <= now { return false }
    if patienceEnd <= now {
      let problem = AuditUnavailable(message: "the reader of the audit log \(output.name) is too slow")
      alarm.raise(problem)
      waiveWaiting(problem)
    }
    let turn = min(stopAt ?? .distantFuture, patienceEnd <= now ? .distantFuture : patienceEnd)
    let ready = FileCalls.poll(
      wake: mailbox.descriptor, output: output.descriptor,
      milliseconds: turn == .distantFuture ? -1 : turn.timeoutMilliseconds(from: now))
    if ready.wake { collect() }
    return true
  }

  // MARK: Gaps

  /// Writes an `audit-gap`, which also is the probe whether writing works again.
  func tellGap() {
    let loss = status.current.untold
    let cause = gapCause(loss)
    let code = failure?.name
    let wasDown = failure != nil
    failure = nil
    guard restore() else { return }
    let gap = AuditEvent.AuditGap(
      lost: loss.count, unlogged: loss.unlogged, cause: cause ?? removal, code: code, since: loss.since,
      tornLine: tearIsUntold)
    var batch = SealedBatch(chain: chain)
    if lineIsOpen { batch.endTornLine() }
    batch.add(encoder.encode(.auditGap(gap), id: .random(in: .min ... .max), at: now()))
    guard put(batch) == 1 else { return }
    tearIsUntold = false
    removalIsUntold = false
    status.told(of: loss)
    alarm.end(output.name, loss)
    // Who came while this record was written found the log still down. Once is enough: nobody is from now on.
    if wasDown, !status.current.untold.isNothing { tellGap() }
  }

  /// Nil where nothing is known but that the file was removed.
  private func gapCause(_ loss: AuditStatus.Loss) -> String? {
    if let failure { return "\(output.name): \(FileCalls.describe(failure))" }
    if loss.count > 0 { return "the log's reader was too slow" }
    if loss.unlogged > 0 { return "records took too long" }
    return tearIsUntold ? "the last line was cut off when it was written" : nil
  }

  private var removal: String { "\(output.name): the file was removed, and with it what it held" }

  /// - Returns: whether records can be written now, as far as that shows before it is tried.
  func isReady() -> Bool {
    guard failure == nil, restore() else { return false }
    if removalIsUntold { tellGap() }
    return failure == nil
  }

  private func restore() -> Bool {
    do {
      if try output.restore() {
        lineIsOpen = false
        tearIsUntold = false
        removalIsUntold = true
        alarm.tell("\(removal); it was made anew")
      }
      return true
    } catch {
      fail(error)
      return false
    }
  }

  func reopen() {
    do {
      if let isTorn = try output.reopen() { lineIsOpen = isTorn }
      status.reopened(problem: nil)
    } catch {
      // Records go on into the file that was rotated away: none is lost by it.
      let problem = "the audit log is not opened anew, and records go on into the old file: \(error)"
      status.reopened(problem: problem)
      alarm.tell(problem)
    }
    if lineIsOpen { tearIsUntold = true }
    if lineIsOpen || failure != nil { tellGap() }
  }
}
