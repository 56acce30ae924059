extension Policy {
  /// What is well-formed and most likely not what was meant: rules that can never match, callers that nobody
  /// can become, patterns where a plain value says the same. Advice for `check`; no verdict rests on it.
  ///
  /// Rules and entries are compared with what an index finds for them and not each with each, so this takes
  /// time in proportion to their number.
  /// - Parameters:
  ///   - documents: what this policy was compiled from, in the same order.
  ///   - listeners: all listeners; nil where nobody knows them.
  ///   - instant: the moment to look from.
  package func lint(
    _ documents: [PolicyDocument], listeners: [LintedListener]?, at instant: Timestamp
  ) -> [Diagnostic] {
    let names = CallerNames(callers.entries)
    let compiled = Dictionary(rules.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let pairs = documents.flatMap(\.rules).compactMap { source in
      compiled[source.name.value].map { LintedRule(source: source, compiled: $0) }
    }
    var findings = expiredRules(at: instant)
    findings += PatternLint.findings(documents)
    var contradictions = ContradictionLint(names: names, listeners: listeners)
    for rule in pairs { contradictions.look(at: rule) }
    findings += contradictions.findings
    let unmatchable = contradictions.unmatchable
    var shadowed = ShadowedRuleLint(rules.filter { !unmatchable.contains($0.name) }, names)
    for rule in rules where !unmatchable.contains(rule.name) { shadowed.look(at: rule) }
    findings += shadowed.findings
    findings += UnreachableCallerLint.findings(callers.entries, documents.flatMap(\.callers))
    findings += PolicyTestLint.findings(documents, names: names, listeners: listeners?.map(\.name))
    return findings
  }
}

/// A rule as it was written, where its parts have places, and as it is asked.
struct LintedRule {
  let source: RuleEntry
  let compiled: CompiledRule

  /// Each condition of `when` with its place.
  var when: [(source: Condition, compiled: CompiledCondition)] {
    Array(zip(source.when, compiled.when)).map { ($0, $1) }
  }

  /// Each condition of `unless` with its place.
  var unless: [(source: Condition, compiled: CompiledCondition)] {
    Array(zip(source.unless, compiled.unless)).map { ($0, $1) }
  }
}

enum LintLimits {
  /// With how many others one rule or entry is compared at most. The index keeps the number far below this,
  /// save in policies where thousands of conditions have no text to be found by.
  static let comparisons = 256
}
