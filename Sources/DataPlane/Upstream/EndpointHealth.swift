package import EventLoop

/// What is known of how well one address of an upstream is: from dials (passive) and from probes (active).
///
/// Pure. An address that failed is left alone for a while, longer after each failure; then one connection tries
/// it again, and the others go on without it until that one has succeeded.
package struct EndpointHealth: Sendable, Hashable {
  package static let shortestRest = Duration.seconds(1)
  package static let longestRest = Duration.seconds(30)

  /// What a new connection may do with the address.
  package enum Standing: Sendable, Hashable {
    case well
    /// It failed, and has been left alone long enough: this connection is the one that tries it.
    case trial
    /// It is left alone; `since` is when it was tried last.
    case resting(since: MonotonicTime)
  }

  /// How far a failed dial came.
  package enum Stage: Sendable, Hashable {
    /// No connection.
    case connect
    /// A connection, but not what comes before the client's bytes (TLS): a probe that only connects does not
    /// show that this is mended.
    case preparation
  }

  /// Failures that made the rest longer, one after the other.
  private var failures = 0
  private var stage = Stage.connect
  private var restEnd = MonotonicTime.distantFuture
  private var lastTried = MonotonicTime.distantFuture
  private var isTrialOut = false
  private var hasFailedProbe = false

  package init() {}

  package var isWell: Bool { failures == 0 && !hasFailedProbe }

  /// How the address stands for a connection that comes now.
  /// - Parameter mayTry: whether that connection would try it; an address that is due is then its, alone.
  package mutating func standing(at now: MonotonicTime, mayTry: Bool) -> Standing {
    guard !isWell else { return .well }
    // What probes found out they find out again; a client's connection is not needed for it.
    guard !hasFailedProbe, mayTry, restEnd <= now else { return .resting(since: lastTried) }
    isTrialOut = true
    restEnd = now + rest
    return .trial
  }

  /// A dial to the address failed. Connections that were under way together count as one: their number says
  /// nothing of how long the address will be away.
  package mutating func failed(_ stage: Stage, at now: MonotonicTime) {
    lastTried = now
    self.stage = stage
    guard failures == 0 || isTrialOut || restEnd <= now else { return }
    isTrialOut = false
    // A bound that no rest reaches, so that the count cannot overflow.
    failures = min(failures + 1, 32)
    restEnd = now + rest
  }

  /// A connection to the address serves a client. What a probe found out is for a probe to take back: it may
  /// ask for more than a connection.
  package mutating func succeeded() {
    failures = 0
    isTrialOut = false
  }

  package mutating func probeFailed(at now: MonotonicTime) {
    lastTried = now
    hasFailedProbe = true
  }

  /// A probe was answered: failures to connect are over with it, those behind the connect are not.
  package mutating func probeSucceeded() {
    hasFailedProbe = false
    if stage == .connect { succeeded() }
  }

  /// Nobody probes any more: what is known is known from dials.
  package mutating func forgetProbe() { hasFailedProbe = false }

  /// Doubled with each failure, up to a cap.
  private var rest: Duration {
    var rest = Self.shortestRest
    for _ in 1..<max(failures, 1) where rest < Self.longestRest { rest = min(rest * 2, Self.longestRest) }
    return rest
  }
}
