import AccessPolicy
import Testing

/// What rules come to.
struct DecisionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let rules: [RuleEntry]
    let verdict: Verdict
    let rule: String?
    var matched: [String] = []
    var shadow: Verdict?
  }

  static let cases: [Case] = [
    Case(testDescription: "no rule denies", rules: [], verdict: .deny, rule: nil),
    Case(
      testDescription: "an allow allows", rules: [Make.rule("a")], verdict: .allow, rule: "a", matched: ["a"]),
    Case(
      testDescription: "a deny wins over an allow", rules: [Make.rule("a"), Make.rule("z", .deny)],
      verdict: .deny, rule: "z", matched: ["a", "z"]),
    Case(
      testDescription: "the least name speaks", rules: [Make.rule("c"), Make.rule("b"), Make.rule("d")],
      verdict: .allow, rule: "b", matched: ["b", "c", "d"]),
    Case(
      testDescription: "log changes nothing", rules: [Make.rule("l", .log)], verdict: .deny, rule: nil,
      matched: ["l"]),
    Case(
      testDescription: "a shadow deny only shows",
      rules: [Make.rule("a"), Make.rule("s", .deny, mode: .shadow)],
      verdict: .allow, rule: "a", matched: ["a", "s"], shadow: .deny),
    Case(
      testDescription: "a shadow allow only shows", rules: [Make.rule("s", mode: .shadow)], verdict: .deny,
      rule: nil, matched: ["s"], shadow: .allow),
    Case(
      testDescription: "a shadow log shows nothing", rules: [Make.rule("s", .log, mode: .shadow)],
      verdict: .deny, rule: nil, matched: ["s"], shadow: .deny),
    Case(
      testDescription: "another caller's rule", rules: [Make.rule("a", callers: ["worker/b"])],
      verdict: .deny,
      rule: nil),
    Case(
      testDescription: "a glob of callers", rules: [Make.rule("a", callers: ["worker/*"])], verdict: .allow,
      rule: "a", matched: ["a"]),
    Case(
      testDescription: "a glob stays within its segment", rules: [Make.rule("a", callers: ["*"])],
      verdict: .deny, rule: nil),
    Case(
      testDescription: "a group", rules: [Make.rule("a", callers: ["group:workers"])], verdict: .allow,
      rule: "a", matched: ["a"]),
    Case(
      testDescription: "another listener", rules: [Make.rule("a", listeners: ["api"])], verdict: .deny,
      rule: nil),
    Case(
      testDescription: "a glob of listeners", rules: [Make.rule("a", listeners: ["d*"])], verdict: .allow,
      rule: "a", matched: ["a"]),
    Case(
      testDescription: "a rule with two ways to its caller counts once",
      rules: [Make.rule("a", callers: ["worker/a", "worker/*", "group:workers", "**"])], verdict: .allow,
      rule: "a", matched: ["a"]),
    Case(
      testDescription: "an expired allow", rules: [Make.rule("a", expires: Make.now)], verdict: .deny,
      rule: nil),
    Case(
      testDescription: "an allow in its last nanosecond",
      rules: [Make.rule("a", expires: Timestamp(nanoseconds: Make.now.nanoseconds + 1))], verdict: .allow,
      rule: "a", matched: ["a"]),
    Case(
      testDescription: "an expired deny", rules: [Make.rule("a"), Make.rule("d", .deny, expires: Make.now)],
      verdict: .allow, rule: "a", matched: ["a"]),
    Case(
      testDescription: "a fact that is missing",
      rules: [
        Make.rule("a", when: [Make.condition(.alpn, .plain("h2"))])
      ], verdict: .deny, rule: nil),
    Case(
      testDescription: "a fact that must be missing",
      rules: [
        Make.rule("a", when: [Make.condition(.alpn, .present(false))])
      ], verdict: .allow, rule: "a", matched: ["a"]),
    Case(
      testDescription: "a fact that must be there",
      rules: [
        Make.rule("a", when: [Make.condition(.alpn, .present(true))])
      ], verdict: .deny, rule: nil),
    Case(
      testDescription: "one item of a list",
      rules: [
        Make.rule("a", when: [Make.condition(.listener, .plain("api"), .plain("db"))])
      ], verdict: .allow, rule: "a", matched: ["a"]),
    Case(
      testDescription: "all keys of when",
      rules: [
        Make.rule(
          "a", when: [Make.condition(.listener, .plain("db")), Make.condition(.alpn, .plain("h2"))])
      ], verdict: .deny, rule: nil),
    Case(
      testDescription: "unless holds",
      rules: [
        Make.rule("a", unless: [Make.condition(.listener, .plain("db"))])
      ], verdict: .deny, rule: nil),
    Case(
      testDescription: "unless holds only with every key",
      rules: [
        Make.rule(
          "a", unless: [Make.condition(.listener, .plain("db")), Make.condition(.alpn, .plain("h2"))])
      ], verdict: .allow, rule: "a", matched: ["a"]),
    Case(
      testDescription: "what the caller captured",
      rules: [
        Make.rule("a", when: [Make.condition(.listener, .plain("{w}"))])
      ], verdict: .deny, rule: nil),
  ]

  @Test(arguments: cases)
  func rulesComeTo(_ row: Case) throws {
    for rules in [row.rules, row.rules.reversed()] {
      let decision = try Make.decide(rules)
      #expect(decision.verdict == row.verdict)
      #expect(decision.rule == row.rule)
      #expect(decision.reason == (row.rule == nil ? .default : .rule))
      #expect(decision.matched == row.matched)
      #expect(decision.shadow.verdict == row.shadow ?? row.verdict)
      #expect(decision.ruleset == (row.rule == nil ? nil : "p.yaml"))
    }
  }

  @Test(arguments: [("a_rw", Verdict.allow), ("b_rw", .deny), ("a", .deny)])
  func aRuleTiesAFactToTheCaller(_ user: String, _ verdict: Verdict) throws {
    var facts = Make.uri("x://w/a")
    facts[.postgresUser] = .text(user)
    let rule = Make.rule("r", when: [Make.condition(.postgresUser, .plain("{w}_rw"))])
    #expect(try Make.decide([rule], facts).verdict == verdict)
  }

  static let conditions: [(Condition, FactValue?, Verdict)] = [
    (Make.condition(.sourceIP, .plain("10.9.0.0/16")), .address(IPAddress(v4: 0x0a09_0101)), .allow),
    (Make.condition(.sourceIP, .plain("10.9.0.0/16")), .address(IPAddress(v4: 0x0a0a_0101)), .deny),
    (Make.condition(.sourceIP, .cidr("10.9.1.1")), .address(IPAddress(v4: 0x0a09_0101)), .allow),
    (Make.condition(.keyBits, .range(min: "256", max: "384")), .integer(384), .allow),
    (Make.condition(.keyBits, .range(min: "256", max: "384")), .integer(385), .deny),
    (Make.condition(.keyBits, .plain("256")), .integer(256), .allow),
    (Make.condition(.resumed, .plain("false")), .flag(false), .allow),
    (Make.condition(.resumed, .plain("false")), .flag(true), .deny),
    (
      Make.condition(.notBefore, .range(min: nil, max: "2027-01-01T00:00:00Z")),
      .instant(Timestamp(seconds: 1_798_761_600)), .allow
    ),
    (Make.condition(.alpn, .prefix("post")), .text("postgresql"), .allow),
    (Make.condition(.alpn, .prefix("post")), .text("xpost"), .deny),
    (Make.condition(.alpn, .suffix("sql")), .text("postgresql"), .allow),
    (Make.condition(.alpn, .suffix("sql")), .text("sqlx"), .deny),
    (Make.condition(.alpn, .glob("post*")), .text("postgresql"), .allow),
    (Make.condition(.alpn, .regex("post.*")), .text("xpostgresql"), .deny),
    (Make.condition(.eku, .plain("clientAuth")), .texts(["serverAuth", "clientAuth"]), .allow),
    (Make.condition(.sanIP, .plain("192.0.2.0/24")), .addresses([IPAddress(v4: 0xc000_0207)]), .allow),
    (Make.condition(.serverName, .plain("DB.example.com")), .text("db.example.com"), .allow),
    (Make.condition(.ski, .plain("AB:CD")), .text("abcd"), .allow),
    (Make.condition(.subjectCN, .plain("a")), .texts(["A"]), .deny),
    // Two spellings of what looks the same are two names.
    (Make.condition(.subjectCN, .plain("é")), .texts(["e\u{301}"]), .deny),
    (Make.condition(.subjectCN, .plain("é")), .texts(["é"]), .allow),
  ]

  @Test(arguments: conditions)
  func conditionsAskTheirFact(_ condition: Condition, _ value: FactValue?, _ verdict: Verdict) throws {
    var facts = Make.uri("x://w/a")
    facts[condition.field] = value
    #expect(try Make.decide([Make.rule("r", when: [condition])], facts).verdict == verdict)
    facts[condition.field] = nil
    #expect(try Make.decide([Make.rule("r", when: [condition])], facts).verdict == .deny)
  }

  static let spans: [(Int64, Verdict)] = [(3600, .allow), (3599, .deny), (-1, .deny)]

  @Test(arguments: spans)
  func validForIsTheTimeLeft(_ left: Int64, _ verdict: Verdict) throws {
    var facts = Make.uri("x://w/a")
    facts[.notAfter] = .instant(Timestamp(seconds: Make.now.seconds + left))
    let rule = Make.rule("r", when: [Make.condition(.validFor, .range(min: "1h", max: nil))])
    #expect(try Make.decide([rule], facts).verdict == verdict)
  }

  static let limits: [(RuleEntry.Action, RuleEntry.Mode, VerdictReason)] = [
    (.allow, .enforce, .patternLimit), (.deny, .enforce, .patternLimit), (.allow, .shadow, .rule),
    (.deny, .shadow, .rule), (.log, .enforce, .rule),
  ]

  /// Nobody knows whether the rule applies: one that could change the verdict denies, the others do not.
  @Test(arguments: limits)
  func aRegexAtItsLimit(_ action: RuleEntry.Action, _ mode: RuleEntry.Mode, _ reason: VerdictReason) throws {
    var facts = Make.uri("x://w/a")
    facts[.alpn] = .text(String(repeating: "a", count: 4000))
    let slow = Make.rule(
      "slow", action, when: [Make.condition(.alpn, .regex("(a+)+[bc]"))], mode: mode)
    let decision = try Make.decide([Make.rule("a"), slow], facts)
    #expect(decision.reason == reason)
    #expect(decision.verdict == (reason == .rule ? .allow : .deny))
    #expect(decision.shadow.verdict == (action == .log ? .allow : .deny))
  }
}
