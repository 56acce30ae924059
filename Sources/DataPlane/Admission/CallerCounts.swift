import Patterns
import Synchronization

/// Counts the live connections of each caller, over all workers. Callers that have none take no room. Two names are
/// one caller's byte by byte alone.
package final class CallerCounts: Sendable {
  private let counts = Mutex<[ExactText: Int]>([:])

  package init() {}

  /// How many callers have connections now.
  package var callers: Int { counts.withLock { $0.count } }

  /// How many connections a caller has now.
  package func count(of caller: String) -> Int { counts.withLock { $0[ExactText(caller)] ?? 0 } }

  /// Counts a connection in, unless the caller has as many as it may; zero stands for no limit. Counted they are
  /// all the same: another snapshot may set a limit that they are to count against.
  package func enter(_ caller: String, limit: Int) -> Bool {
    let caller = ExactText(caller)
    return counts.withLock { counts in
      let count = counts[caller] ?? 0
      guard limit == 0 || count < limit else { return false }
      counts[caller] = count + 1
      return true
    }
  }

  /// Counts a connection out.
  package func leave(_ caller: String) {
    let caller = ExactText(caller)
    counts.withLock { counts in
      guard let count = counts[caller] else { return }
      counts[caller] = count > 1 ? count - 1 : nil
    }
  }
}
