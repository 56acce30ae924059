import Patterns

/// Entries of `callers` that never name anybody, because an earlier one matches everything that they match.
enum UnreachableCallerLint {
  static func findings(_ entries: [CompiledCaller], _ sources: [CallerEntry]) -> [Diagnostic] {
    let index = ConditionIndex(entries.enumerated().map { ($0.offset, $0.element.conditions) })
    var findings: [Diagnostic] = []
    for (position, entry) in entries.enumerated() where sources.indices.contains(position) {
      var candidates: [Int] = []
      index.collect(entry.conditions.probe, into: &candidates)
      let earlier = candidates.sortedOnce().prefix { $0 < position }.prefix(LintLimits.comparisons)
      let broader = earlier.first { entries[$0].coversAll(of: entry) }
      // The compiler tells of entries that ask for the very same.
      guard let broader, sources[broader].asked != sources[position].asked else { continue }
      let first = entries[broader]
      findings.warning(
        "unreachable-caller", at: entry.location,
        "caller '\(entry.name.written)' is never reached: '\(first.name.written)' at \(first.location) matches "
          + "everything that it matches",
        hint: "the first entry that matches names the caller: put the narrower entry first")
    }
    return findings
  }
}

extension CompiledCaller {
  /// Whether it matches, and so comes first for, every certificate that the other matches.
  fileprivate func coversAll(of other: CompiledCaller) -> Bool {
    other.conditions.implies(conditions) && !capturesMayContradict
  }

  /// Whether one name is captured in two places, which may give two texts: then the entry does not match.
  private var capturesMayContradict: Bool {
    var seen: Set<String> = []
    for condition in conditions {
      let names = condition.alternatives.reduce(into: Set<String>()) { names, alternative in
        switch alternative {
        case .capture(let pattern): names.formUnion(pattern.template.names)
        case .regex(let regex): names.formUnion(regex.names)
        default: break
        }
      }
      guard seen.isDisjoint(with: names) else { return true }
      seen.formUnion(names)
    }
    return false
  }
}

extension CallerEntry {
  /// What it asks for, whatever the order.
  fileprivate var asked: [Field: Set<ValueMatcher>] {
    Dictionary(
      match.map { ($0.field, Set($0.alternatives.map(\.value))) }, uniquingKeysWith: { first, _ in first })
  }
}
