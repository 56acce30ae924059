import AccessPolicy
import FuzzSupport

/// What holds for the decisions of every policy, whatever it says.
struct DecisionInvariants {
  let policy: Policy
  let document: PolicyDocument
  private let moment = Timestamp(seconds: 1_800_000_000)

  init(policy: Policy, document: PolicyDocument) {
    self.policy = policy
    self.document = document
  }

  func check() {
    let turned = Policy.compile([reversed(document)], listeners: ["orders-db", "blog"]).policy
    for facts in FactsOfDocument(document).all {
      let decision = policy.decide(facts, at: moment)
      check(decision)
      Invariant.hold(policy.decide(facts, at: moment) == decision, "the same question, another answer")
      Invariant.hold(turned?.decide(facts, at: moment) == decision, "the order of the file decided")
      var unreadable = facts
      unreadable.unreadableNames = [UnreadableName(place: "subject", problem: "contains NUL")]
      let refused = policy.decide(unreadable, at: moment)
      Invariant.hold(refused.verdict == .deny, "a name that cannot be read was allowed")
      Invariant.hold(refused.reason == .nameUnreadable, "refused as \(refused.reason)")
    }
  }

  private func check(_ decision: Decision) {
    let rules = Dictionary(document.rules.map { ($0.name.value, $0) }) { first, _ in first }
    let matched = decision.matched.compactMap { rules[$0] }
    Invariant.hold(matched.count == decision.matched.count, "a rule matched that nobody wrote")
    Invariant.hold(decision.matched == decision.matched.sorted(), "matched rules out of order")
    for rule in matched {
      Invariant.hold(
        rule.expires.map { $0.value > moment } ?? true, "the expired rule \(rule.name.value) matched")
    }
    if let caller = decision.caller {
      Invariant.hold(!caller.name.isEmpty, "a caller without a name")
      Invariant.hold(!DiagnosticInvariants.hasControl(caller.name), "a control character in a caller's name")
    }
    switch decision.reason {
    case .callerUnmapped, .callerAmbiguous, .nameUnreadable:
      Invariant.hold(decision.verdict == .deny, "\(decision.reason) was allowed")
    case .default, .patternLimit:
      Invariant.hold(decision.verdict == .deny, "\(decision.reason) was allowed")
    case .rule:
      let deciding = decision.rule.flatMap { rules[$0] }
      Invariant.hold(deciding?.mode == .enforce, "a rule that is not enforced decided")
      Invariant.hold(deciding?.action.rawValue == decision.verdict.rawValue, "the rule says something else")
    }
    guard decision.verdict == .allow else { return }
    Invariant.hold(decision.reason == .rule && decision.caller != nil, "allowed without a rule or a caller")
    let denials = matched.filter { $0.action == .deny && $0.mode == .enforce }
    Invariant.hold(denials.isEmpty, "allowed in spite of \(denials.map(\.name.value))")
  }

  private func reversed(_ document: PolicyDocument) -> PolicyDocument {
    PolicyDocument(
      file: document.file, callers: document.callers.reversed(), rules: document.rules.reversed(),
      tests: document.tests)
  }
}
