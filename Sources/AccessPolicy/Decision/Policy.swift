/// All policies together, immutable: who a certificate is, and what a caller may do.
///
/// Every rule about the caller is looked at and order never matters: an enforced `deny` that matches denies,
/// else an enforced `allow` that matches allows, else it is denied.
package final class Policy: Sendable {
  let callers: CallerMap
  /// In the order of their names, so that the least name comes first.
  let rules: [CompiledRule]
  let index: RuleIndex
  let calendar: PolicyCalendar
  /// Every field that a decision may depend on, beside the moment: two connections that are alike in these, and
  /// have no unreadable name, are judged alike at one moment.
  package let askedFields: Set<Field>

  init(callers: CallerMap, rules: [CompiledRule], index: RuleIndex) {
    self.callers = callers
    self.rules = rules
    self.index = index
    calendar = PolicyCalendar(callers.entries, rules)
    askedFields = Self.askedFields(callers, rules)
  }

  /// Judges one connection. Takes some microseconds, however many rules there are about others.
  /// - Parameter at: the moment to judge for, by the wall clock.
  package func decide(_ facts: Facts, at: Timestamp) -> Decision {
    let situation = Situation(facts: facts, at: at)
    if let name = facts.unreadableNames.first {
      return Decision(verdict: .deny, reason: .nameUnreadable, detail: "\(name.place): \(name.problem)")
    }
    switch callers.map(situation) {
    case .unmapped: return Decision(verdict: .deny, reason: .callerUnmapped)
    case .ambiguous(let names):
      return Decision(
        verdict: .deny, reason: .callerAmbiguous,
        detail: "the certificate names \(names.prefix(4).joined(separator: " and "))")
    case .limitExceeded(let entry):
      return Decision(
        verdict: .deny, reason: .patternLimit, detail: "a regex of the caller entry \(entry) met its limit")
    case .caller(let caller): return judge(caller, situation)
    }
  }

  private func judge(_ caller: Caller, _ situation: Situation) -> Decision {
    var enforced = Tally()
    var shadowed = Tally()
    var matched: [String] = []
    for position in index.candidates(caller, situation) {
      let rule = rules[position]
      let outcome = rule.evaluate(situation) { caller.captures[$0] }
      if outcome == .applies { matched.append(rule.name) }
      shadowed.count(rule.action, position, outcome)
      if rule.mode == .enforce { enforced.count(rule.action, position, outcome) }
    }
    let verdict = enforced.conclusion
    let shadow = shadowed.conclusion
    return Decision(
      verdict: verdict.verdict, reason: verdict.reason, rule: verdict.position.map { rules[$0].name },
      ruleset: verdict.position.map { rules[$0].ruleset }, caller: caller, matched: matched,
      shadow: .init(
        verdict: shadow.verdict, reason: shadow.reason, rule: shadow.position.map { rules[$0].name }))
  }
}

/// What the rules that were looked at so far come to.
private struct Tally {
  private var denying: Int?
  private var allowing: Int?
  private var unknown: Int?

  /// Rules come in the order of their names; the first of a kind speaks for it.
  mutating func count(_ action: RuleEntry.Action, _ position: Int, _ outcome: CompiledRule.Outcome) {
    switch (outcome, action) {
    // Whatever a `log` rule says, and so whether anybody knows what it says, changes nothing.
    case (_, .log), (.expired, _), (.fails, _), (.excepted, _): break
    case (.limitExceeded, _): unknown = unknown ?? position
    case (.applies, .deny): denying = denying ?? position
    case (.applies, .allow): allowing = allowing ?? position
    }
  }

  var conclusion: (verdict: Verdict, reason: VerdictReason, position: Int?) {
    if let denying { return (.deny, .rule, denying) }
    // A rule of which nobody knows whether it applies might have denied.
    if let unknown { return (.deny, .patternLimit, unknown) }
    if let allowing { return (.allow, .rule, allowing) }
    return (.deny, .default, nil)
  }
}
