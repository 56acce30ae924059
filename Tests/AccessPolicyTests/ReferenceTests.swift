import Patterns
import Testing

@testable import AccessPolicy

/// Random policies and certificates, judged by the engine with its indexes, and by the language's own words
/// read one by one. Both must come to the same.
struct ReferenceTests {
  private static let values = ["a", "b", "c", "ab", "bc", "a/b", "*"]
  private static let fields: [Field] = [.subjectCN, .subjectOU, .sanURI, .alpn, .trustLabel]

  private static func matcher(_ generator: inout SeededGenerator, in caller: Bool) -> ValueMatcher {
    let value = values.randomElement(using: &generator) ?? "a"
    switch Int.random(in: 0..<(caller ? 10 : 9), using: &generator) {
    case 0: return .prefix(value)
    case 1: return .suffix(value)
    case 2: return .glob(value + "*")
    case 3: return .regex("[ab]+")
    case 4: return .present(Bool.random(using: &generator))
    case 9: return .plain(["x{n}", "{n}", "a{n}"].randomElement(using: &generator) ?? "{n}")
    default: return .plain(value == "*" ? "z" : value)
    }
  }

  private static func conditions(
    _ count: ClosedRange<Int>, _ generator: inout SeededGenerator, in caller: Bool
  ) -> [Condition] {
    fields.shuffled(using: &generator).prefix(Int.random(in: count, using: &generator)).map { field in
      Condition(
        field: field,
        alternatives: (0..<Int.random(in: 1...2, using: &generator)).map { _ in
          var form = matcher(&generator, in: caller)
          if field == .alpn, case .plain(let text) = form, text.contains("{") { form = .plain("a") }
          return Located(form, at: Make.place())
        },
        location: Make.place())
    }
  }

  private static func facts(_ generator: inout SeededGenerator) -> Facts {
    var facts = Make.facts((.listener, .text(["db", "api"].randomElement(using: &generator) ?? "db")))
    for field in fields where Int.random(in: 0..<4, using: &generator) > 0 {
      let texts = (0..<Int.random(in: 1...2, using: &generator)).map { _ in
        values.randomElement(using: &generator) ?? "a"
      }
      facts[field] = field.kind == .texts ? .texts(texts) : .text(texts[0])
    }
    return facts
  }

  @Test(arguments: 0..<400)
  func theEngineSaysWhatTheLanguageSays(_ seed: UInt64) throws {
    var generator = SeededGenerator(state: seed)
    let callers = (0..<Int.random(in: 1...6, using: &generator)).map { number in
      CallerEntry(
        name: Located("c\(number % 3)", at: Make.place()),
        groups: number.isMultiple(of: 2) ? [Located("even", at: Make.place())] : [],
        match: Self.conditions(1...3, &generator, in: true))
    }
    let hasEven = callers.contains { !$0.groups.isEmpty }
    // Enough rules for one caller that they are filed by their conditions.
    let rules = (0..<Int.random(in: 0...60, using: &generator)).map { number in
      let selectors = ["c0", "c1", "c*", "**"] + (hasEven ? ["group:even"] : [])
      return Make.rule(
        "r\(number)", RuleEntry.Action.allCases.randomElement(using: &generator) ?? .log,
        callers: Bool.random(using: &generator) ? [selectors.randomElement(using: &generator) ?? "**"] : nil,
        listeners: Bool.random(using: &generator) ? ["db"] : nil,
        when: Self.conditions(0...2, &generator, in: false),
        unless: Self.conditions(0...1, &generator, in: false),
        mode: Int.random(in: 0..<4, using: &generator) == 0 ? .shadow : .enforce,
        expires: Int.random(in: 0..<8, using: &generator) == 0 ? Make.now : nil)
    }
    let policy = try #require(Make.compile(callers, rules).policy)
    var memo = DecisionMemo(policy)
    for _ in 0..<25 {
      let facts = Self.facts(&generator)
      // Some rules end now: what was said before, or later, must not be said again.
      let other = Timestamp(seconds: Make.now.seconds + Int64.random(in: -1...1, using: &generator))
      #expect(memo.decide(facts, at: other) == policy.decide(facts, at: other))
      var decision = policy.decide(facts, at: Make.now)
      let explanation = policy.explain(facts, at: Make.now)
      #expect(explanation.decision == decision)
      #expect(explanation.rules.filter { $0.outcome == .matched }.map(\.name) == decision.matched)
      // The wording of an ambiguity is not a part of the language.
      decision.detail = nil
      #expect(decision == Reference(callers: callers, rules: rules).decide(facts))
    }
  }
}

/// The policy language, word for word and slowly.
private struct Reference {
  let callers: [CallerEntry]
  let rules: [RuleEntry]

  func decide(_ facts: Facts) -> Decision {
    guard case .some(let first) = firstCaller(facts) else {
      return Decision(verdict: .deny, reason: .callerUnmapped)
    }
    guard let caller = first else { return Self.ambiguous }
    for field in Field.allCases {
      guard case .texts(let texts)? = facts[field], Set(texts).count > 1 else { continue }
      for text in Set(texts) {
        var single = facts
        single[field] = .texts([text])
        guard case .some(let other) = firstCaller(single) else { continue }
        if other?.name != caller.name { return Self.ambiguous }
      }
    }
    return judge(caller, facts)
  }

  private static let ambiguous = Decision(verdict: .deny, reason: .callerAmbiguous)

  /// nil: no entry matches; `.some(nil)`: the first that does is ambiguous.
  private func firstCaller(_ facts: Facts) -> Caller?? {
    for entry in callers {
      var readings: Set<[String: String]> = [[:]]
      for condition in entry.match {
        var next: Set<[String: String]> = []
        for captured in condition.alternatives.flatMap({ captures($0.value, condition.field, facts) }) {
          for reading in readings where captured.allSatisfy({ reading[$0] == nil || reading[$0] == $1 }) {
            next.insert(reading.merging(captured) { first, _ in first })
          }
        }
        readings = next
      }
      if readings.isEmpty { continue }
      guard readings.count == 1, let captured = readings.first else { return .some(nil) }
      return Caller(name: entry.name.value, groups: entry.groups.map(\.value), captures: captured)
    }
    return nil
  }

  private func judge(_ caller: Caller, _ facts: Facts) -> Decision {
    let applying = rules.filter { applies($0, caller, facts) }.sorted { $0.name.value < $1.name.value }
    func verdict(_ rules: [RuleEntry]) -> (Verdict, String?) {
      if let deny = rules.first(where: { $0.action == .deny }) { return (.deny, deny.name.value) }
      if let allow = rules.first(where: { $0.action == .allow }) { return (.allow, allow.name.value) }
      return (.deny, nil)
    }
    let real = verdict(applying.filter { $0.mode == .enforce })
    let shadow = verdict(applying)
    return Decision(
      verdict: real.0, reason: real.1 == nil ? .default : .rule, rule: real.1,
      ruleset: real.1 == nil ? nil : "p.yaml", caller: caller, matched: applying.map(\.name.value),
      shadow: .init(verdict: shadow.0, reason: shadow.1 == nil ? .default : .rule, rule: shadow.1))
  }

  private func applies(_ rule: RuleEntry, _ caller: Caller, _ facts: Facts) -> Bool {
    let isAbout =
      rule.callers?.contains { selector in
        selector.value == "group:even"
          ? caller.groups == ["even"] : Glob(selector.value).matches(caller.name)
      } ?? true
    let isThere = rule.listeners.map { _ in facts[.listener] == .text("db") } ?? true
    func hold(_ conditions: [Condition]) -> Bool {
      conditions.allSatisfy { condition in
        condition.alternatives.contains { !captures($0.value, condition.field, facts).isEmpty }
      }
    }
    return isAbout && isThere && rule.expires == nil && hold(rule.when)
      && (rule.unless.isEmpty || !hold(rule.unless))
  }

  /// What each way to match captures.
  private func captures(_ matcher: ValueMatcher, _ field: Field, _ facts: Facts) -> Set<[String: String]> {
    if case .present(let present) = matcher { return (facts[field] != nil) == present ? [[:]] : [] }
    let texts = facts[field]?.texts ?? []
    return Set(
      texts.compactMap { text in
        switch matcher {
        case .plain(let plain) where plain.hasSuffix("{n}"):
          let fixed = String(plain.dropLast(3))
          let rest = String(text.dropFirst(fixed.count))
          let isSegment = !rest.isEmpty && !rest.contains("/") && !rest.contains("*")
          return text.hasPrefix(fixed) && isSegment ? ["n": rest] : nil
        case .plain(let plain): return text == plain ? [:] : nil
        case .prefix(let prefix): return text.hasPrefix(prefix) ? [:] : nil
        case .suffix(let suffix): return text.hasSuffix(suffix) ? [:] : nil
        case .glob(let glob): return Glob(glob).matches(text) ? [:] : nil
        case .regex: return text.allSatisfy { $0 == "a" || $0 == "b" } ? [:] : nil
        case .cidr, .range, .present, .window: return nil
        }
      })
  }
}
