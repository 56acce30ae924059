import EventLoop

/// Rounds of questions to all workers. A round is over when each has answered, and only then the next one
/// begins: a worker that hangs stops them, and its mailbox does not fill with questions.
struct Heartbeat {
  private let interval: Duration
  /// Workers that have not ended.
  private var workers: Set<Int>
  /// Workers whose answer is missing in this round.
  private var awaited: Set<Int> = []
  private var next: MonotonicTime

  /// - Parameters:
  ///   - interval: from the beginning of a round to that of the next.
  ///   - now: when the first one begins.
  init(workers: Int, interval: Duration, now: MonotonicTime) {
    self.workers = Set(0..<workers)
    self.interval = interval
    self.next = now
  }

  /// When ``begin(at:)`` has something to do; nil while answers are missing.
  var due: MonotonicTime? { awaited.isEmpty && !workers.isEmpty ? next : nil }

  /// - Returns: the workers to ask, which are none before the round is due.
  mutating func begin(at now: MonotonicTime) -> Set<Int> {
    guard let due, due <= now else { return [] }
    awaited = workers
    next = now + interval
    return awaited
  }

  /// - Returns: whether the round is over by this answer.
  mutating func answered(_ worker: Int) -> Bool {
    guard awaited.remove(worker) != nil else { return false }
    return awaited.isEmpty
  }

  /// A worker that was drained has nothing to answer.
  /// - Returns: whether the round is over by that.
  mutating func ended(_ worker: Int) -> Bool {
    workers.remove(worker)
    return answered(worker)
  }
}
