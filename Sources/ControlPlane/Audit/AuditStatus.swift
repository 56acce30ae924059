import AccessPolicy
import AuditLog
import EventLoop
import GatewayConfiguration
import Synchronization

/// What the appending threads and the writing thread know together.
final class AuditStatus: Sendable {
  struct Loss: Sendable {
    var count: UInt64 = 0
    /// Connections that were let in without a record.
    var unlogged: UInt64 = 0
    var since: Timestamp?

    var isNothing: Bool { count == 0 && unlogged == 0 }
  }

  struct State: Sendable {
    var isClosed = false
    /// Why nothing can be written now.
    var problem: AuditUnavailable?
    /// Since when the thread is busy with what it writes, while it is.
    var busySince: MonotonicTime?
    /// Records that were taken and are neither written nor refused yet.
    var records = 0
    var bytes = 0
    /// What was lost and let in, and no `audit-gap` has told of yet.
    var untold = Loss()
    var lostInAll: UInt64 = 0
    var unloggedInAll: UInt64 = 0
    var reopenProblem: String?
  }

  /// What became of a record that was handed over.
  enum Admission: Sendable {
    /// It is in the queue, and is answered for later.
    case queued
    /// Nobody shall wait for it: it may still be written, or is lost already.
    case waived(AuditUnavailable)
    case refused(AuditUnavailable)
  }

  /// How long a record may take before the log counts as unavailable.
  static let patience = Duration.seconds(1)

  let allowsUnlogged: Bool
  private let state = Mutex(State())
  private let capacity: AuditWriter.Capacity
  private let now: @Sendable () -> Timestamp

  init(
    capacity: AuditWriter.Capacity, allowsUnlogged: Bool, now: @escaping @Sendable () -> Timestamp
  ) {
    self.capacity = capacity
    self.allowsUnlogged = allowsUnlogged
    self.now = now
  }

  var current: State { state.withLock { $0 } }

  /// Why a record would not be taken now, or not in time.
  var problem: AuditUnavailable? { state.withLock { obstacle($0) ?? stall($0) } }

  /// Takes a record into the queue, or counts it as lost.
  ///
  /// - Parameters:
  ///   - isAwaited: a connection waits for the record.
  ///   - enqueue: called while the state is held, so that none comes behind the last look of a thread that
  ///     ends; whether the connection still waits.
  func admit(_ bytes: Int, isAwaited: Bool, enqueue: (_ isAwaited: Bool) -> Void) -> Admission {
    state.withLock {
      let waives = isAwaited && allowsUnlogged && !$0.isClosed
      if let problem = obstacle($0) {
        lose(1, unlogged: waives ? 1 : 0, &$0)
        return waives ? .waived(problem) : .refused(problem)
      }
      $0.records += 1
      $0.bytes += bytes
      if waives, let problem = stall($0) {
        lose(0, unlogged: 1, &$0)
        enqueue(false)
        return .waived(problem)
      }
      enqueue(isAwaited)
      return .queued
    }
  }

  /// The thread begins to write, or has written.
  func busy(since: MonotonicTime?) { state.withLock { $0.busySince = since } }

  /// Records left the queue, written or lost.
  func released(records: Int, bytes: Int, lost: UInt64, unlogged: UInt64) {
    state.withLock {
      $0.records -= records
      $0.bytes -= bytes
      lose(lost, unlogged: unlogged, &$0)
    }
  }

  /// Connections whose records wait for too long were let in.
  func waived(_ count: UInt64) { state.withLock { lose(0, unlogged: count, &$0) } }

  func failed(_ problem: AuditUnavailable) { state.withLock { $0.problem = problem } }

  /// A gap record told of a loss, and writing works.
  func told(of loss: Loss) {
    state.withLock {
      $0.problem = nil
      $0.untold.count -= min($0.untold.count, loss.count)
      $0.untold.unlogged -= min($0.untold.unlogged, loss.unlogged)
      // What was lost meanwhile is younger than the loss that was told.
      $0.untold.since = $0.untold.isNothing ? nil : now()
    }
  }

  func reopened(problem: String?) { state.withLock { $0.reopenProblem = problem } }

  func close() { state.withLock { $0.isClosed = true } }

  private func obstacle(_ state: State) -> AuditUnavailable? {
    if state.isClosed { return AuditUnavailable(message: "the audit writer is shut down") }
    if let problem = state.problem { return problem }
    if state.records >= capacity.records || state.bytes >= capacity.bytes {
      return AuditUnavailable(message: "the audit log's reader is too slow: \(state.records) records wait")
    }
    return nil
  }

  private func stall(_ state: State) -> AuditUnavailable? {
    guard let since = state.busySince, MonotonicTime.now() - since >= Self.patience else { return nil }
    return AuditUnavailable(message: "the audit log takes longer than \(Self.patience) for a record")
  }

  private func lose(_ count: UInt64, unlogged: UInt64, _ state: inout State) {
    if count == 0, unlogged == 0 { return }
    if state.untold.since == nil { state.untold.since = now() }
    state.untold.count &+= count
    state.untold.unlogged &+= unlogged
    state.lostInAll &+= count
    state.unloggedInAll &+= unlogged
  }
}
