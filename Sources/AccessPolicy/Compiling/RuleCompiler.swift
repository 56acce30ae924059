import Patterns

/// Compiles rules, and checks what they refer to.
struct RuleCompiler {
  private(set) var rules: [CompiledRule] = []
  private(set) var findings: [Diagnostic] = []
  private let listeners: [String]?
  private let groups: Set<ExactText>
  private let names: CallerNames
  /// Entries that anybody's certificate from Cloudflare's shared authority matches.
  private let shared: CallerNames
  private let areAllEntriesKnown: Bool
  private let matchers = MatcherCompiler(place: .rule, zones: ZoneTable())
  private var places: [String: SourceLocation] = [:]
  private var reachable: [CallerSelector: Bool] = [:]

  /// - Parameter areAllEntriesKnown: false where an entry had an error: then nobody knows which names there are.
  init(
    listeners: [String]?, groups: [Located<String>], entries: [CompiledCaller], areAllEntriesKnown: Bool
  ) {
    self.listeners = listeners
    self.groups = Set(groups.map { ExactText($0.value) })
    names = CallerNames(entries)
    shared = CallerNames(entries.filter(\.isSharedByAllOfCloudflare))
    self.areAllEntriesKnown = areAllEntriesKnown
  }

  mutating func compile(_ rule: RuleEntry) {
    if let first = places[rule.name.value] {
      findings.error(
        "duplicate-rule", at: rule.name.location, "rule '\(rule.name.value)' is already defined at \(first)",
        hint: "rule names are unique over all files, because the log speaks of them")
    } else {
      places[rule.name.value] = rule.name.location
    }
    checkCallers(rule)
    checkListeners(rule)
    let when = rule.when.compactMap { matchers.compile($0, &findings) }
    let unless = rule.unless.compactMap { matchers.compile($0, &findings) }
    guard when.count == rule.when.count, unless.count == rule.unless.count else { return }
    checkCaptures(rule, when + unless)
    rules.append(
      CompiledRule(
        name: rule.name.value, location: rule.name.location, action: rule.action, mode: rule.mode,
        expires: rule.expires?.value, callers: rule.callers?.map(\.value),
        listeners: rule.listeners?.map(\.value), when: when, unless: unless))
  }

  private mutating func checkCallers(_ rule: RuleEntry) {
    for text in rule.callers ?? [] {
      let selector = CallerSelector(text.value)
      if case .group(let group) = selector, !groups.contains(group) {
        findings.error(
          "unknown-group", at: text.location, "no caller is in the group '\(group.text)'",
          hint: groups.isEmpty ? nil : "groups are: \(groups.map(\.text).sorted().joined(separator: ", "))")
      } else if areAllEntriesKnown, !isReachable(selector) {
        findings.warning(
          "unknown-caller", at: text.location, "no entry of 'callers' gives the name '\(text.value)'",
          hint: "the rule never matches for it; is the name spelled as under 'callers'?")
      }
    }
    guard rule.action == .allow, rule.mode == .enforce else { return }
    let selectors = rule.callers?.map { CallerSelector($0.value) } ?? [.glob(Glob("**"))]
    if selectors.contains(where: { shared.contains($0) }) {
      findings.warning(
        "shared-certificate", at: rule.name.location,
        "rule '\(rule.name.value)' allows Cloudflare's shared origin-pull certificate, which every customer of "
          + "Cloudflare can come with",
        hint: "upload a certificate of your own for the zone, and name the caller by its spki_sha256")
    }
  }

  private mutating func isReachable(_ selector: CallerSelector) -> Bool {
    if let known = reachable[selector] { return known }
    let answer = names.contains(selector)
    reachable[selector] = answer
    return answer
  }

  private mutating func checkListeners(_ rule: RuleEntry) {
    guard let listeners else { return }
    for name in rule.listeners ?? [] {
      let glob = Glob(name.value)
      if listeners.contains(where: { glob.matches($0) }) { continue }
      findings.error(
        "unknown-listener", at: name.location, "no listener is called '\(name.value)'",
        hint: listeners.isEmpty ? nil : "listeners are: \(listeners.joined(separator: ", "))")
    }
  }

  /// A name in braces in a rule must be captured by at least one of the callers that the rule is about.
  private mutating func checkCaptures(_ rule: RuleEntry, _ conditions: [CompiledCondition]) {
    let needed = Set(conditions.flatMap(\.templateNames))
    guard areAllEntriesKnown, !needed.isEmpty else { return }
    let selectors = rule.callers?.map { CallerSelector($0.value) } ?? [.glob(Glob("**"))]
    for capture in needed.sorted() {
      let isCaptured = selectors.contains { selector in
        names.contains(selector) { entry in entry.conditions.contains { $0.alwaysCaptures(capture) } }
      }
      if isCaptured { continue }
      findings.error(
        "undefined-capture", at: rule.name.location,
        "rule '\(rule.name.value)': no caller that it is about captures {\(capture)}",
        hint: "a name in braces stands for what the caller's mapping captured")
    }
  }
}

extension CompiledCondition {
  /// The names in braces that a rule's condition fills in.
  fileprivate var templateNames: [String] {
    alternatives.flatMap { alternative -> [String] in
      if case .template(let template) = alternative { template.names } else { [] }
    }
  }
}

extension CompiledCaller {
  /// Whether the entry asks for nothing but the issuer of the certificate that Cloudflare presents for all of
  /// its customers alike.
  var isSharedByAllOfCloudflare: Bool {
    let issuers = conditions.filter { $0.field == .issuerCN }
    let asksForIt = issuers.contains { condition in
      condition.alternatives.contains { alternative in
        if case .literal(let text) = alternative { text == CloudflareOriginPull.issuer } else { false }
      }
    }
    return asksForIt && conditions.allSatisfy { CloudflareOriginPull.provesNoAccount($0.field) }
  }
}
