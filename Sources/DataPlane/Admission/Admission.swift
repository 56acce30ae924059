import Synchronization

/// Counts live connections over all workers, against one limit, and them and their beginnings by whose they are.
///
/// Little else is shared by workers and changes. A worker asks once per accepted connection, so an atomic counter
/// and a lock cost nothing beside the handshake.
package final class Admission: Sendable {
  private let maximum: Atomic<Int>
  /// Live connections by caller.
  package let callers = CallerCounts()
  /// Beginning connections by source.
  package let sources = SourceRates()
  private let live = Atomic<Int>(0)

  package init(limit: Int) { maximum = Atomic(limit) }

  /// How many there may be; whoever is in when it is lowered stays.
  package var limit: Int {
    get { maximum.load(ordering: .relaxed) }
    set { maximum.store(newValue, ordering: .relaxed) }
  }

  /// How many connections are counted now.
  package var count: Int { live.load(ordering: .relaxed) }

  /// Counts one connection in, unless the limit is reached.
  package func enter() -> Bool {
    guard live.add(1, ordering: .relaxed).newValue <= limit else {
      live.subtract(1, ordering: .relaxed)
      return false
    }
    return true
  }

  /// Counts one connection out.
  package func leave() { live.subtract(1, ordering: .relaxed) }
}
