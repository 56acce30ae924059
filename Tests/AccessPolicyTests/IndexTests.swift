import AccessPolicy
import Patterns
import Testing

/// The index finds what a look at every rule finds: random policies against a plain evaluator.
struct IndexTests {
  private static let names = ["worker/a", "worker/b", "device/1", "x", "worker/a/b"]
  private static let selectors = names + ["worker/*", "**", "*", "device/*", "group:g1", "group:g2", "w**"]
  private static let listeners = ["db", "api"]

  private static let callers = names.enumerated().map { index, name in
    Make.caller(
      name, groups: index.isMultiple(of: 2) ? ["g1"] : ["g2"], Make.condition(.sanURI, .plain("u:\(name)")))
  }

  private static func rules(_ generator: inout SeededGenerator) -> [RuleEntry] {
    (0..<Int.random(in: 0...12, using: &generator)).map { number in
      let picked = (0..<3).compactMap { _ in selectors.randomElement(using: &generator) }
      let hasCallers = Bool.random(using: &generator)
      let hasListeners = Bool.random(using: &generator)
      return Make.rule(
        "r\(number)", RuleEntry.Action.allCases.randomElement(using: &generator) ?? .log,
        callers: hasCallers ? picked : nil,
        listeners: hasListeners ? [["db"], ["api"], ["*"]].randomElement(using: &generator) : nil,
        mode: Int.random(in: 0..<4, using: &generator) == 0 ? .shadow : .enforce)
    }
  }

  /// The language's own words, without an index.
  private func expected(_ rules: [RuleEntry], _ name: String, _ groups: [String], _ listener: String)
    -> Decision
  {
    let applying = rules.filter { rule in
      let isAbout =
        rule.callers?.contains { selector in
          selector.value.hasPrefix("group:")
            ? groups.contains(String(selector.value.dropFirst(6))) : Glob(selector.value).matches(name)
        } ?? true
      return isAbout && (rule.listeners?.contains { Glob($0.value).matches(listener) } ?? true)
    }.sorted { $0.name.value < $1.name.value }
    func verdict(_ rules: [RuleEntry]) -> (Verdict, String?) {
      if let deny = rules.first(where: { $0.action == .deny }) { return (.deny, deny.name.value) }
      if let allow = rules.first(where: { $0.action == .allow }) { return (.allow, allow.name.value) }
      return (.deny, nil)
    }
    let real = verdict(applying.filter { $0.mode == .enforce })
    let shadow = verdict(applying)
    return Decision(
      verdict: real.0, reason: real.1 == nil ? .default : .rule, rule: real.1,
      ruleset: real.1 == nil ? nil : "p.yaml", caller: Caller(name: name, groups: groups),
      matched: applying.map(\.name.value),
      shadow: .init(verdict: shadow.0, reason: shadow.1 == nil ? .default : .rule, rule: shadow.1))
  }

  @Test(arguments: 0..<300)
  func theIndexFindsWhatAFullScanFinds(_ seed: UInt64) throws {
    var generator = SeededGenerator(state: seed)
    let rules = Self.rules(&generator)
    // With the listeners' names known, and without them.
    let known = seed.isMultiple(of: 2) ? Self.listeners : nil
    let policy = try #require(Make.compile(Self.callers, rules, listeners: known).policy)
    for (index, name) in Self.names.enumerated() {
      let groups = index.isMultiple(of: 2) ? ["g1"] : ["g2"]
      for listener in Self.listeners {
        let decision = policy.decide(Make.uri("u:\(name)", listener: listener), at: Make.now)
        #expect(decision == expected(rules, name, groups, listener))
      }
    }
  }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
