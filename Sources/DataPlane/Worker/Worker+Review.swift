import AccessPolicy
import EventLoop
import TLSEngine

/// Connections that have to be looked at again, because what they were let in by has changed, or the clock was set.
struct Reviewing {
  /// Those that were there when it began; whoever comes later is judged by what holds now anyway.
  fileprivate let tokens: [Token]
  fileprivate var next = 0
  /// What chains came to: thousands of connections may have been opened with a handful of certificates.
  var verified: [ReverificationKey: VerificationOutcome] = [:]
  /// What the policy may look at; nil where that cannot be told beforehand, as it counts the time that is left.
  private let fields: [Field]?
  /// What connections came to that are alike in these fields.
  private var judged: [[FactValue?]: Decision] = [:]
  /// Until then nothing that was judged changes by time alone.
  private var judgedUntil: Timestamp?

  fileprivate init(_ tokens: [Token], _ policy: Policy) {
    self.tokens = tokens
    let asked = policy.askedFields
    fields = asked.contains(.validFor) ? nil : asked.sorted { $0.rawValue < $1.rawValue }
  }

  /// - Returns: what the policy says of these facts.
  fileprivate mutating func decide(
    _ facts: Facts, _ policy: Policy, at now: Timestamp, nextChange: Timestamp?
  ) -> Decision {
    guard let fields, facts.unreadableNames.isEmpty else { return policy.decide(facts, at: now) }
    if let judgedUntil, judgedUntil <= now { judged = [:] }
    judgedUntil = nextChange
    let key = fields.map { facts[$0] }
    if let known = judged[key] { return known }
    let decision = policy.decide(facts, at: now)
    judged[key] = decision
    return decision
  }
}

/// When the present policies change by time alone, found once for all connections.
struct NextChange {
  fileprivate let policy: Policy
  /// The answer holds for every moment from this one…
  fileprivate let asked: Timestamp
  /// …to this one, which it is; nil: nothing will change.
  fileprivate let moment: Timestamp?
}

extension Worker {
  func nextChange(after now: Timestamp) -> Timestamp? {
    if let known = calendar, known.policy === snapshot.policy, known.asked <= now,
      now < known.moment ?? .distantFuture
    {
      return known.moment
    }
    let moment = snapshot.policy.nextChange(after: now)
    calendar = NextChange(policy: snapshot.policy, asked: now, moment: moment)
    return moment
  }

  /// Connections that are looked at in one turn, at most, and how long it may take: those that move bytes must not
  /// notice. The time is looked at after each few.
  private static let reviewsPerTurn = 256
  private static let reviewTime = Duration.milliseconds(1)
  private static let reviewsPerLook = 8

  /// Begins to look at every connection again. One that is under way is begun anew: what it has seen is old.
  func reviewAll() {
    var tokens: [Token] = []
    tokens.reserveCapacity(connections.count)
    connections.forEach { token, _ in tokens.append(token) }
    reviewing = tokens.isEmpty ? nil : Reviewing(tokens, snapshot.policy)
  }

  /// What the present policy says of a connection that is looked at again.
  func decideAgain(_ facts: Facts, at now: Timestamp) -> Decision {
    let next = nextChange(after: now)
    return reviewing?.decide(facts, snapshot.policy, at: now, nextChange: next)
      ?? snapshot.policy.decide(facts, at: now)
  }

  /// Whether there are connections that it has to look at again.
  package var isReviewing: Bool { reviewing != nil }

  /// Looks at the next connections.
  func reviewSome() {
    guard let tokens = reviewing?.tokens, var next = reviewing?.next else { return }
    let begun = environment.clock.monotonic()
    let end = min(tokens.count, next + Self.reviewsPerTurn)
    while next < end {
      let token = tokens[next]
      next += 1
      reviewing?.next = next
      connections[token]?.review(self)
      if next % Self.reviewsPerLook == 0, environment.clock.monotonic() - begun >= Self.reviewTime { break }
    }
    if next >= tokens.count { reviewing = nil }
  }
}
