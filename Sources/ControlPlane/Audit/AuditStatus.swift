import AccessPolicy
import AuditLog
import EventLoop
import Synchronization

/// What the appending threads and the writing thread know together.
final class AuditStatus: Sendable {
  struct Loss: Sendable {
    var count: UInt64 = 0
    var since: Timestamp?
  }

  struct State: Sendable {
    var isClosed = false
    /// Why nothing can be written now.
    var problem: AuditUnavailable?
    /// Records that were taken and are neither written nor refused yet.
    var records = 0
    var bytes = 0
    /// Records that were lost and that no `audit-gap` has told of yet.
    var untold = Loss()
    var lostInAll: UInt64 = 0
    var reopenProblem: String?
  }

  private let state = Mutex(State())
  private let capacity: AuditWriter.Capacity
  private let now: @Sendable () -> Timestamp

  init(capacity: AuditWriter.Capacity, now: @escaping @Sendable () -> Timestamp) {
    self.capacity = capacity
    self.now = now
  }

  var current: State { state.withLock { $0 } }

  /// Why a record cannot be taken now.
  var problem: AuditUnavailable? { state.withLock { obstacle($0) } }

  /// Takes a record into the queue, or counts it as lost.
  ///
  /// - Parameter enqueue: called while the state is held, so that none comes behind the last look of a
  ///   thread that ends.
  func admit(_ bytes: Int, enqueue: () -> Void) -> AuditUnavailable? {
    state.withLock {
      if let problem = obstacle($0) {
        lose(1, &$0)
        return problem
      }
      $0.records += 1
      $0.bytes += bytes
      enqueue()
      return nil
    }
  }

  /// Records left the queue, written or lost.
  func released(records: Int, bytes: Int, lost: UInt64) {
    state.withLock {
      $0.records -= records
      $0.bytes -= bytes
      if lost > 0 { lose(lost, &$0) }
    }
  }

  func failed(_ problem: AuditUnavailable) { state.withLock { $0.problem = problem } }

  /// A gap record told of a loss, and writing works.
  func told(of loss: Loss) {
    state.withLock {
      $0.problem = nil
      $0.untold.count -= min($0.untold.count, loss.count)
      // What was lost meanwhile is younger than the loss that was told.
      $0.untold.since = $0.untold.count == 0 ? nil : now()
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

  private func lose(_ count: UInt64, _ state: inout State) {
    if state.untold.since == nil { state.untold.since = now() }
    state.untold.count &+= count
    state.lostInAll &+= count
  }
}
