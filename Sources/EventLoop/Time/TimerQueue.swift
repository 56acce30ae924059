/// Deadlines of tokens, the earliest first: a binary heap in one array. Nothing is ever cancelled: a token may
/// stand in it several times, and the owner ignores one that is stale or whose deadline has moved on.
package struct TimerQueue {
  private struct Entry {
    var deadline: MonotonicTime
    var token: Token
  }

  private var heap: [Entry] = []

  /// An empty queue.
  package init() {}

  /// How many deadlines wait.
  package var count: Int { heap.count }

  /// The earliest deadline; nil if none waits.
  package var earliest: MonotonicTime? { heap.first?.deadline }

  /// Adds a deadline.
  package mutating func push(_ deadline: MonotonicTime, _ token: Token) {
    heap.append(Entry(deadline: deadline, token: token))
    siftUp(heap.count - 1)
  }

  /// Takes out one token whose deadline is `now` or before, the earliest first; nil if none is due.
  package mutating func popDue(_ now: MonotonicTime) -> Token? {
    guard let first = heap.first, first.deadline <= now else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      siftDown()
    }
    return first.token
  }

  /// Drops the deadlines of all tokens but those.
  package mutating func keep(where isKept: (Token) -> Bool) {
    heap.removeAll { !isKept($0.token) }
    for parent in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(from: parent) }
  }

  private mutating func siftUp(_ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].deadline < heap[parent].deadline else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  private mutating func siftDown(from start: Int = 0) {
    var parent = start
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if heap[child].deadline < heap[least].deadline { least = child }
      }
      guard least != parent else { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
