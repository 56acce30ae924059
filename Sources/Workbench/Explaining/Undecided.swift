package import AccessPolicy

/// What cannot be told from a record, because the log has cut the values that it depends on.
package struct Undecided: Hashable, Sendable {
  /// The fields whose values were cut.
  package var fields: [Field]
  /// Names of rules that may or may not match.
  package var rules: Set<String>
  /// Whether nobody knows who the caller was.
  package var isCallerOpen: Bool
  package var isVerdictOpen: Bool

  /// - Returns: nil where nothing was cut.
  init?(_ explanation: Explanation, _ documents: [PolicyDocument], cut: Set<Field>) {
    guard !cut.isEmpty else { return nil }
    fields = Field.allCases.filter(cut.contains)
    let entries = zip(explanation.entries, documents.flatMap(\.callers))
    isCallerOpen = entries.contains { entry, source in
      source.match.contains { cut.contains($0.field) } && !Self.fails(entry.outcome, cut)
    }
    let sources = Dictionary(
      documents.flatMap(\.rules).map { ($0.name.value, $0) }, uniquingKeysWith: { first, _ in first })
    let open = explanation.rules.filter { rule in
      guard let source = sources[rule.name] else { return false }
      return (source.when + source.unless).contains { cut.contains($0.field) }
        && !Self.fails(rule.outcome, cut)
    }
    rules = Set(open.map(\.name))
    isVerdictOpen = isCallerOpen || Self.decides(explanation.rules, rules)
  }

  /// Whether it fails for a reason that was not cut: then what was cut does not matter.
  private static func fails(_ outcome: Explanation.EntryOutcome, _ cut: Set<Field>) -> Bool {
    guard case .failed(let ground) = outcome else { return false }
    return !isCut(ground, cut)
  }

  private static func fails(_ outcome: Explanation.RuleOutcome, _ cut: Set<Field>) -> Bool {
    guard case .failed(let ground) = outcome else { return false }
    return !isCut(ground, cut)
  }

  private static func isCut(_ ground: Explanation.Ground, _ cut: Set<Field>) -> Bool {
    // Values that contradict each other are named all together.
    ground.field == "match" || cut.contains { ground.field == $0.name || ground.field == "unless.\($0.name)" }
  }

  /// Whether the verdict depends on the open rules.
  private static func decides(_ rules: [Explanation.Rule], _ open: Set<String>) -> Bool {
    let enforced = rules.filter { $0.mode == .enforce }
    let settled = enforced.filter { !open.contains($0.name) && $0.outcome == .matched }
    if settled.contains(where: { $0.action == .deny }) { return false }
    if enforced.contains(where: { $0.action == .deny && open.contains($0.name) }) { return true }
    if settled.contains(where: { $0.action == .allow }) { return false }
    return enforced.contains { $0.action == .allow && open.contains($0.name) }
  }
}
