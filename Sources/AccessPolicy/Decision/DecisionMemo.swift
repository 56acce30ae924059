/// Judges many connections by one policy, and those but once that are alike in all that it asks for: thousands may
/// come that were opened with a handful of certificates.
package struct DecisionMemo {
  /// The most decisions that are kept; one more, and all are forgotten. A policy that asks for the client's port
  /// finds no two connections alike.
  static let limit = 1024

  package let policy: Policy
  /// What the policy may look at; nil where that cannot be told beforehand, as it counts the time that is left.
  private let fields: [Field]?
  private(set) var known: [[FactValue?]: Decision] = [:]
  /// The moments for which what is known holds: within them the policy changes no verdict by time alone.
  private var span = Timestamp.distantFuture..<Timestamp.distantFuture

  package init(_ policy: Policy) {
    self.policy = policy
    let asked = policy.askedFields
    fields = asked.contains(.validFor) ? nil : asked.sorted { $0.rawValue < $1.rawValue }
  }

  /// - Returns: what ``Policy/decide(_:at:)`` says.
  package mutating func decide(_ facts: Facts, at now: Timestamp) -> Decision {
    guard let fields, facts.unreadableNames.isEmpty else { return policy.decide(facts, at: now) }
    enter(now)
    let key = fields.map { facts[$0] }
    if let decision = known[key] { return decision }
    let decision = policy.decide(facts, at: now)
    if known.count >= Self.limit { known = [:] }
    known[key] = decision
    return decision
  }

  /// - Returns: what ``Policy/nextChange(after:)`` says.
  package mutating func nextChange(after now: Timestamp) -> Timestamp? {
    enter(now)
    return span.upperBound == .distantFuture ? nil : span.upperBound
  }

  /// The clock may have been set back, too.
  private mutating func enter(_ now: Timestamp) {
    guard !span.contains(now) else { return }
    known = [:]
    span = now..<max(now, policy.nextChange(after: now) ?? .distantFuture)
  }
}
