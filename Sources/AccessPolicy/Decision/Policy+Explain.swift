import Patterns

extension Policy {
  /// Judges one connection and tells why: every caller entry and every rule is looked at, so this takes as
  /// long as there are many.
  /// - Parameter at: the moment to judge for.
  package func explain(_ facts: Facts, at: Timestamp) -> Explanation {
    let decision = decide(facts, at: at)
    let situation = Situation(facts: facts, at: at)
    guard facts.unreadableNames.isEmpty else {
      return Explanation(decision: decision, entries: [], rules: [])
    }
    return Explanation(
      decision: decision, entries: entries(situation),
      rules: decision.caller.map { caller in rules.map { explain($0, caller, situation) } } ?? [])
  }

  private func entries(_ situation: Situation) -> [Explanation.Entry] {
    var isSettled = false
    return callers.entries.map { entry in
      let outcome = isSettled ? .notReached : outcome(of: entry, situation)
      if case .failed = outcome {} else { isSettled = true }
      return Explanation.Entry(name: entry.name.written, location: entry.location, outcome: outcome)
    }
  }

  private func outcome(of entry: CompiledCaller, _ situation: Situation) -> Explanation.EntryOutcome {
    switch entry.evaluate(situation) {
    case .named(let caller):
      // Another value of the certificate may give another name by a later entry.
      if case .ambiguous(let names) = callers.map(situation) { return .ambiguous(names) }
      return .matched(caller: caller.name)
    case .ambiguous(let names): return .ambiguous(names)
    case .limitExceeded(let position): return .patternLimit(entry.conditions[position].ground(situation))
    case .failed(let position?): return .failed(entry.conditions[position].ground(situation))
    case .failed(nil):
      let fields = entry.conditions.map(\.field.name).joined(separator: ", ")
      return .failed(.init(field: "match", expected: "\(fields) that agree on each capture", value: nil))
    }
  }

  private func explain(
    _ rule: CompiledRule, _ caller: Caller, _ situation: Situation
  ) -> Explanation.Rule {
    Explanation.Rule(
      name: rule.name, location: rule.location, action: rule.action, mode: rule.mode,
      outcome: outsideScope(rule, caller, situation).map { .failed($0) }
        ?? outcome(of: rule, caller, situation))
  }

  /// What the index skips, asked in words: nil where the rule is about the caller at the listener.
  private func outsideScope(
    _ rule: CompiledRule, _ caller: Caller, _ situation: Situation
  ) -> Explanation.Ground? {
    if let selectors = rule.callers, !selectors.contains(where: { CallerSelector($0).selects(caller) }) {
      let groups = caller.groups.map { "group:\($0)" }
      return .init(
        field: "callers", expected: selectors.asList, value: ([caller.name] + groups).joined(separator: ", "))
    }
    guard let listeners = rule.listeners else { return nil }
    let listener = situation.facts[.listener]?.texts.first
    if let listener, listeners.contains(where: { Glob($0).matches(listener) }) { return nil }
    return .init(field: "listeners", expected: listeners.asList, value: listener)
  }

  private func outcome(
    of rule: CompiledRule, _ caller: Caller, _ situation: Situation
  ) -> Explanation.RuleOutcome {
    let conditions = rule.when + rule.unless
    let ground = { (position: Int) in
      var ground = conditions[position].ground(situation) { caller.captures[$0] }
      if position >= rule.when.count { ground.field = "unless.\(ground.field)" }
      return ground
    }
    switch rule.evaluate(situation, capture: { caller.captures[$0] }) {
    case .applies: return .matched
    case .expired:
      return .failed(
        .init(
          field: "expires", expected: "a moment before \(rule.expires?.rfc3339 ?? "")",
          value: situation.at.rfc3339))
    case .fails(let position): return .failed(ground(position))
    case .limitExceeded(let position): return .patternLimit(ground(position))
    case .excepted:
      var exception = ground(rule.when.count)
      exception.expected = "not \(exception.expected)"
      return .failed(exception)
    }
  }
}

extension CompiledCondition {
  fileprivate func ground(
    _ situation: Situation, _ capture: (String) -> String? = { _ in nil }
  ) -> Explanation.Ground {
    Explanation.Ground(
      field: field.name, expected: alternatives.map { $0.written(capture) }.asList, value: seen(situation))
  }

  /// What the connection has.
  private func seen(_ situation: Situation) -> String? {
    switch field {
    case .time: return situation.at.rfc3339
    case .validFor:
      guard case .instant(let end)? = situation.facts[.notAfter] else { return nil }
      return "\(end.seconds - situation.at.seconds)s"
    default: return situation.facts[field].map { $0.texts.joined(separator: ", ") }
    }
  }
}
