import Testing

@testable import AccessPolicy

/// Values of which the log holds the beginning alone.
@Suite struct CutTests {
  static let at = Timestamp(seconds: 1_800_000_000)
  static let long = "abc" + String(repeating: "x", count: 4090) + CutValue.mark

  static func policy(_ rules: [RuleEntry]) throws -> Policy {
    let place = SourceLocation(file: "p.yaml", line: 1)
    let caller = CallerEntry(
      name: Located("a", at: place),
      match: [Condition(field: .sha256, alternatives: [Located(.present(true), at: place)], location: place)])
    let document = PolicyDocument(file: "p.yaml", callers: [caller], rules: rules)
    return try #require(Policy.compile([document], listeners: nil).policy)
  }

  static func rule(_ action: RuleEntry.Action, _ matcher: ValueMatcher?, _ name: String = "r") -> RuleEntry {
    let place = SourceLocation(file: "p.yaml", line: 2)
    let when = matcher.map {
      [Condition(field: .postgresUser, alternatives: [Located($0, at: place)], location: place)]
    }
    return RuleEntry(name: Located(name, at: place), action: action, when: when ?? [])
  }

  static func decide(_ rules: [RuleEntry]) throws -> Decision? {
    var facts = Facts()
    facts[.sha256] = .text(String(repeating: "ab", count: 32))
    facts[.listener] = .text("l")
    facts[.postgresUser] = .text(long)
    return try policy(rules).decide(facts, at: at, cut: [.postgresUser])
  }

  @Test(arguments: [
    (ValueMatcher.plain("abc"), Verdict?.some(.deny)), (.prefix("abc"), .some(.allow)),
    (.prefix("abd"), .some(.deny)),
    (.present(true), .some(.allow)), (.glob("abd*"), .some(.deny)), (.glob("abc*"), nil), (.suffix("x"), nil),
    (.regex("abc.*"), nil),
  ]) func theBeginningSettlesWhatItCan(_ matcher: ValueMatcher, _ verdict: Verdict?) throws {
    #expect(try Self.decide([Self.rule(.allow, matcher)])?.verdict == verdict)
  }

  @Test func whatNobodyKnowsMattersOnlyWhereItDecides() throws {
    let unknown = ValueMatcher.suffix("y")
    #expect(try Self.decide([Self.rule(.allow, unknown), Self.rule(.deny, nil, "all")])?.verdict == .deny)
    #expect(try Self.decide([Self.rule(.allow, unknown), Self.rule(.allow, nil, "all")])?.verdict == .allow)
    #expect(try Self.decide([Self.rule(.deny, unknown), Self.rule(.allow, nil, "all")]) == nil)
    #expect(try Self.decide([Self.rule(.log, unknown), Self.rule(.allow, nil, "all")])?.verdict == .allow)
    #expect(try Self.decide([Self.rule(.deny, unknown)])?.verdict == .deny)
  }

  @Test func theFieldsOfAPolicyAreThoseThatItAsksFor() throws {
    #expect(
      try Self.policy([Self.rule(.allow, .plain("x"))]).askedFields == [.sha256, .postgresUser, .listener])
  }
}
