package import AccessPolicy
package import EventLoop
import Patterns
import Synchronization

/// The live Postgres connections of all workers by the pair that cancels their queries: a CancelRequest comes on
/// a connection of its own, and must reach the server, and the address of it, that gave the pair.
package final class PostgresSessions: Sendable {
  /// A connection whose queries can be cancelled.
  package struct Session: Sendable, Equatable {
    package var connectionID: String
    package var listener: String
    package var decision: Decision
    /// Where the server is that gave the pair.
    package var target: UpstreamTarget

    package init(connectionID: String, listener: String, decision: Decision, target: UpstreamTarget) {
      self.connectionID = connectionID
      self.listener = listener
      self.decision = decision
      self.target = target
    }
  }

  private struct State {
    var sessions: [PostgresCancelKey: [Session]] = [:]
    var misses = SourceBudget(limit: 20, window: .seconds(60))
  }

  private let state = Mutex(State())

  package init() {}

  package func add(_ session: Session, key: PostgresCancelKey) {
    state.withLock { $0.sessions[key, default: []].append(session) }
  }

  package func remove(connectionID: String, key: PostgresCancelKey) {
    state.withLock { state in
      state.sessions[key]?.removeAll { $0.connectionID == connectionID }
      if state.sessions[key]?.isEmpty == true { state.sessions[key] = nil }
    }
  }

  /// The connection goes on under another decision.
  func update(connectionID: String, key: PostgresCancelKey, decision: Decision) {
    state.withLock { state in
      guard let index = state.sessions[key]?.firstIndex(where: { $0.connectionID == connectionID }) else {
        return
      }
      state.sessions[key]?[index].decision = decision
    }
  }

  /// Whether the connection can still be cancelled by the pair.
  func contains(_ session: Session, key: PostgresCancelKey) -> Bool {
    state.withLock { $0.sessions[key]?.contains { $0.connectionID == session.connectionID } ?? false }
  }

  /// Who a pair belongs to.
  package enum Match: Sendable, Equatable {
    case session(Session)
    /// Nobody at this listener, or nobody of this caller.
    case unknown
    /// Two servers gave the same pair: nobody knows which is meant.
    case ambiguous
    /// This source has guessed too often.
    case limited
  }

  /// - Parameters:
  ///   - caller: whose connection it must be; nil where the request came in plaintext and nobody is known.
  ///   - source: whose guesses are counted. Those of a caller are not: it can only meet its own connections,
  ///     and must not lose its cancels to strangers behind the same address.
  package func find(
    _ key: PostgresCancelKey, listener: String, caller: String?, source: IPAddress?, now: MonotonicTime
  ) -> Match {
    state.withLock { state in
      guard caller != nil || state.misses.hasRoom(source, now) else { return .limited }
      let matches = (state.sessions[key] ?? []).filter { session in
        session.listener == listener && (caller == nil || (session.decision.caller?.name).isExactly(caller))
      }
      switch matches.count {
      case 1: return .session(matches[0])
      case 0:
        if caller == nil { state.misses.count(source, now) }
        return .unknown
      default: return .ambiguous
      }
    }
  }

  /// How many connections can be cancelled now.
  package var count: Int { state.withLock { $0.sessions.values.reduce(0) { $0 + $1.count } } }
}

/// Counts what sources did wrong, in windows of time. Bounded: where too many sources are known, all are
/// taken for one that has spent its budget, rather than none.
struct SourceBudget {
  private static let maximum = 10_000

  let limit: Int
  let window: Duration
  private var counts: [UInt128: Int] = [:]
  private var windowEnd = MonotonicTime(nanoseconds: 0)

  init(limit: Int, window: Duration) {
    self.limit = limit
    self.window = window
  }

  mutating func hasRoom(_ source: IPAddress?, _ now: MonotonicTime) -> Bool {
    if windowEnd <= now {
      counts = [:]
      windowEnd = now + window
    }
    let count = counts[Self.key(source)] ?? 0
    return count < limit && (count > 0 || counts.count < Self.maximum)
  }

  mutating func count(_ source: IPAddress?, _ now: MonotonicTime) {
    counts[Self.key(source), default: 0] += 1
  }

  /// Peers of a Unix socket are one source.
  private static func key(_ source: IPAddress?) -> UInt128 { source?.sourceKey ?? .max }
}
