import Patterns

/// Rules that allow nothing, because an enforced `deny` matches whatever they match.
struct ShadowedRuleLint {
  private(set) var findings: [Diagnostic] = []
  private let denies: [CompiledRule]
  private let names: CallerNames
  /// By whom a deny is about (nil: everyone), found by what its conditions ask for.
  private let byCaller: [CallerSelector?: ConditionIndex]
  /// The globs that denies speak of, found by their beginnings.
  private let globs: [Glob]
  private var globIndex = PrefixIndex()
  private var relatives: [CallerSelector: [CallerSelector]] = [:]

  init(_ rules: [CompiledRule], _ names: CallerNames) {
    let denies = rules.filter { $0.action == .deny && $0.mode == .enforce }
    self.denies = denies
    self.names = names
    var members: [CallerSelector?: [Int]] = [:]
    for (position, rule) in denies.enumerated() {
      guard let callers = rule.callers else {
        members[nil, default: []].append(position)
        continue
      }
      for selector in Set(callers.map { CallerSelector($0) }) {
        members[selector, default: []].append(position)
      }
    }
    byCaller = members.mapValues { ConditionIndex($0.map { ($0, denies[$0].when) }) }
    globs = members.keys.compactMap { selector in
      if case .glob(let glob)? = selector { glob } else { nil }
    }
    for (position, glob) in globs.enumerated() { globIndex.insert(position, under: glob.literalPrefix) }
  }

  mutating func look(at rule: CompiledRule) {
    guard rule.action == .allow, !denies.isEmpty else { return }
    let probe = rule.when.probe
    var found: [Int] = []
    byCaller[nil]?.collect(probe, into: &found)
    let selectors = rule.callers.map { $0.map { CallerSelector($0) } } ?? [.glob(Glob("**"))]
    if let first = selectors.first {
      for selector in broader(than: first) { byCaller[selector]?.collect(probe, into: &found) }
    }
    let deny = found.sortedOnce().prefix(LintLimits.comparisons).map { denies[$0] }
      .first { denies($0, everythingOf: rule, selectors) }
    guard let deny else { return }
    findings.warning(
      "shadowed-rule", at: rule.location,
      "rule '\(rule.name)' never allows anything: rule '\(deny.name)' at \(deny.location) denies whatever it matches",
      hint:
        "an enforced deny wins wherever it stands: narrow the deny by 'when' or 'unless', or remove this rule"
    )
  }

  private func denies(_ deny: CompiledRule, everythingOf rule: CompiledRule, _ selectors: [CallerSelector])
    -> Bool
  {
    guard rule.when.implies(deny.when), excepts(rule, whatever: deny) else { return false }
    if let end = deny.expires {
      guard let last = rule.expires, last <= end else { return false }
    }
    if let listeners = deny.listeners {
      let globs = listeners.map { Glob($0) }
      guard let asked = rule.listeners, asked.allSatisfy({ name in globs.contains { $0.covers(Glob(name)) } })
      else { return false }
    }
    guard let callers = deny.callers else { return true }
    let broader = callers.map { CallerSelector($0) }
    return selectors.allSatisfy { selector in broader.contains { names.isCovered(selector, by: $0) } }
  }

  /// Whether what the deny makes an exception of is an exception of the rule as well.
  private func excepts(_ rule: CompiledRule, whatever deny: CompiledRule) -> Bool {
    deny.unless.isEmpty || !rule.unless.isEmpty && deny.unless.implies(rule.unless)
  }

  /// What else a deny about these callers may be written for: themselves, globs, groups.
  private mutating func broader(than selector: CallerSelector) -> [CallerSelector] {
    if let known = relatives[selector] { return known }
    var groups: Set<String> = []
    _ = names.contains(selector) { entry in
      groups.formUnion(entry.groups)
      return false
    }
    var found = Set(groups.map { CallerSelector.group(ExactText($0)) })
    found.insert(selector)
    if case .group = selector {
      // The names of a group have no common beginning to look up.
      found.formUnion(globs.prefix(LintLimits.comparisons).map { .glob($0) })
    } else {
      var hits: [Int] = []
      globIndex.collect(selector.literalPrefix, into: &hits)
      found.formUnion(hits.map { .glob(globs[$0]) })
    }
    relatives[selector] = Array(found)
    return Array(found)
  }
}

extension CallerSelector {
  /// The text with which every name begins that it is about; empty for a group.
  fileprivate var literalPrefix: String {
    switch self {
    case .name(let name): name.text
    case .glob(let glob): glob.literalPrefix
    case .group: ""
    }
  }
}

extension CallerNames {
  /// Whether the second selector is about every caller that the first is about.
  func isCovered(_ selector: CallerSelector, by other: CallerSelector) -> Bool {
    switch (selector, other) {
    case _ where selector == other: return true
    case (.name(let name), .glob(let glob)) where glob.matches(name.text): return true
    case (.glob(let mine), .glob(let theirs)) where theirs.covers(mine): return true
    default: break
    }
    return !contains(selector) { entry in
      switch other {
      case .group(let group): !entry.groups.contains { group.text.isExactly($0) }
      case .glob(let glob): !glob.covers(entry.name.shape)
      case .name(let name): entry.name.literal?.isExactly(name.text) != true
      }
    }
  }
}
