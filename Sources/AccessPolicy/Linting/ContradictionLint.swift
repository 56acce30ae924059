import Patterns

/// Rules that can never match, by what they themselves ask for.
struct ContradictionLint {
  private(set) var findings: [Diagnostic] = []
  /// The names of rules that never match.
  private(set) var unmatchable: Set<String> = []
  private let names: CallerNames
  private let listeners: [LintedListener]?

  init(names: CallerNames, listeners: [LintedListener]?) {
    self.names = names
    self.listeners = listeners
  }

  mutating func look(at rule: LintedRule) {
    lookForImpossibleValues(rule)
    lookForOtherProtocols(rule)
    lookForSelfException(rule)
    lookForOtherListeners(rule)
    lookForOtherCallers(rule)
  }

  private mutating func never(
    _ rule: LintedRule, _ code: String, at location: SourceLocation, because reason: String, hint: String
  ) {
    guard unmatchable.insert(rule.compiled.name).inserted else { return }
    findings.warning(
      code, at: location, "rule '\(rule.compiled.name)' can never match: \(reason)", hint: hint)
  }

  /// Values that no connection has.
  private mutating func lookForImpossibleValues(_ rule: LintedRule) {
    for condition in rule.when {
      let possible = ValueDomain(condition.compiled.field, listeners: listeners)
      let dead = condition.compiled.alternatives.indices.filter {
        !possible.allows(condition.compiled.alternatives[$0])
      }
      if dead.isEmpty { continue }
      let hint = possible.hint
      if dead.count == condition.compiled.alternatives.count {
        never(
          rule, "impossible-value", at: condition.source.alternatives[0].location,
          because: "no connection has such a \(condition.compiled.field.name)", hint: hint)
        continue
      }
      for position in dead {
        findings.warning(
          "impossible-value", at: condition.source.alternatives[position].location,
          "no connection has such a \(condition.compiled.field.name)", hint: hint)
      }
    }
  }

  /// What a client of one protocol says of itself, where the rule is about listeners of others.
  private mutating func lookForOtherProtocols(_ rule: LintedRule) {
    guard let listeners else { return }
    for condition in rule.when {
      guard let wanted = condition.compiled.field.saidIn else { continue }
      let needsValue = !condition.compiled.alternatives.contains {
        if case .present(false) = $0 { true } else { false }
      }
      let meant = listeners.filter { rule.compiled.isAbout($0) }
      guard needsValue, !meant.contains(where: { $0.wireProtocol == wanted }) else { continue }
      never(
        rule, "impossible-value", at: condition.source.location,
        because: "no listener that it is about has 'protocol: \(wanted)'",
        hint: "\(condition.compiled.field.name) is known at listeners with 'protocol: \(wanted)' alone")
    }
  }

  /// `unless` holds whenever `when` does.
  private mutating func lookForSelfException(_ rule: LintedRule) {
    guard let first = rule.unless.first else { return }
    let asked = rule.compiled.when + [rule.compiled.listenerCondition].compactMap { $0 }
    guard asked.implies(rule.compiled.unless) else { return }
    never(
      rule, "contradiction", at: first.source.location,
      because: "'unless' excepts everything that it asks for",
      hint: "an exception must be narrower than the rule")
  }

  /// `listeners` and a condition on the listener name different ones.
  private mutating func lookForOtherListeners(_ rule: LintedRule) {
    guard let scope = rule.compiled.listenerCondition else { return }
    for condition in rule.when where condition.compiled.contradicts(scope) {
      never(
        rule, "contradiction", at: condition.source.location,
        because: "its 'listeners' and its condition on the listener exclude each other",
        hint: "say it once, under 'listeners'")
    }
  }

  /// Every caller that the rule is about has another value in a field that it asks for.
  private mutating func lookForOtherCallers(_ rule: LintedRule) {
    guard let selectors = rule.compiled.callers?.map({ CallerSelector($0) }) else { return }
    for condition in rule.when where condition.compiled.field.kind != .clock {
      var seen = 0
      let mayMatch = selectors.contains { selector in
        if case .glob = selector { return true }
        return names.contains(selector) { entry in
          seen += 1
          return seen > LintLimits.comparisons
            || !entry.conditions.contains { condition.compiled.contradicts($0) }
        }
      }
      if mayMatch || seen == 0 { continue }
      never(
        rule, "contradiction", at: condition.source.location,
        because: "its callers are mapped from another \(condition.compiled.field.name)",
        hint: "compare it with 'match' of the callers that the rule is about")
    }
  }
}

extension CompiledRule {
  fileprivate func isAbout(_ listener: LintedListener) -> Bool {
    listeners?.contains { Glob($0).matches(listener.name) } ?? true
  }

  /// `listeners` as a condition; nil where the rule is about all.
  var listenerCondition: CompiledCondition? {
    listeners.map { names in
      CompiledCondition(
        field: .listener,
        alternatives: names.map { name in
          let glob = Glob(name)
          return glob.literal.map { .literal($0) } ?? .glob(glob)
        })
    }
  }
}
