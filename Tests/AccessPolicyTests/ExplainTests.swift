import AccessPolicy
import Testing

/// Why a decision came out as it did, in words.
struct ExplainTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let rule: RuleEntry
    /// `field: expected <- value`; `matched`; `limit:` before what was not settled.
    let outcome: String
    var testDescription: String { outcome }
  }

  private static let facts = Make.facts(
    (.sanURI, .texts(["x://w/a", "y://"])), (.listener, .text("db")), (.alpn, .text("h2")),
    (.keyBits, .integer(256)), (.sourceIP, .address(IPAddress(v4: 0x0a00_0001))), (.resumed, .flag(false)),
    (.notAfter, .instant(Timestamp(seconds: Make.now.seconds + 90))),
    (.serverName, .text(String(repeating: "a", count: 4000))))

  private static func when(_ field: Field, _ matchers: ValueMatcher..., outcome: String) -> Case {
    let condition = Condition(
      field: field, alternatives: matchers.map { Located($0, at: Make.place()) }, location: Make.place())
    return Case(rule: Make.rule("r", when: [condition]), outcome: outcome)
  }

  static let cases: [Case] = [
    Case(rule: Make.rule("r"), outcome: "matched"),
    Case(
      rule: Make.rule("r", callers: ["worker/b", "other"]),
      outcome: "callers: [worker/b, other] <- worker/a, group:workers"),
    Case(rule: Make.rule("r", listeners: ["api"]), outcome: "listeners: api <- db"),
    Case(
      rule: Make.rule("r", expires: Make.now),
      outcome: "expires: a moment before 2027-01-15T08:00:00Z <- 2027-01-15T08:00:00Z"),
    Case(
      rule: Make.rule("r", unless: [Make.condition(.sourceIP, .plain("10.0.0.0/8"))]),
      outcome: "unless.source_ip: not 10.0.0.0/8 <- 10.0.0.1"),
    Case(
      rule: Make.rule(
        "r", when: [Make.condition(.alpn, .plain("h2")), Make.condition(.postgresUser, .plain("{w}_rw"))]),
      outcome: "postgres_user: a_rw <- nil"),
    Case(
      rule: Make.rule("r", when: [Make.condition(.serverName, .regex("(a+)+[bc]"))]),
      outcome: "limit: server_name: {regex: (a+)+[bc]} <- "),
    Case(
      rule: Make.rule("r", unless: [Make.condition(.serverName, .regex("(a+)+[bc]"))]),
      outcome: "limit: unless.server_name: {regex: (a+)+[bc]} <- "),
    when(.alpn, .plain("h3"), .plain("h4"), outcome: "alpn: [h3, h4] <- h2"),
    when(.alpn, .plain("{w}"), outcome: "alpn: a <- h2"),
    when(.sanURI, .glob("z*"), outcome: "san_uri: {glob: z*} <- x://w/a, y://"),
    when(.alpn, .prefix("p"), outcome: "alpn: {prefix: p} <- h2"),
    when(.alpn, .suffix("p"), outcome: "alpn: {suffix: p} <- h2"),
    when(.alpn, .present(false), outcome: "alpn: {present: false} <- h2"),
    when(.keyBits, .range(min: "384", max: nil), outcome: "key_bits: {min: 384} <- 256"),
    when(.keyBits, .range(min: nil, max: "128"), outcome: "key_bits: {max: 128} <- 256"),
    when(.keyBits, .range(min: "1", max: "2"), outcome: "key_bits: {min: 1, max: 2} <- 256"),
    when(.keyBits, .plain("384"), outcome: "key_bits: 384 <- 256"),
    when(.resumed, .plain("true"), outcome: "resumed: true <- false"),
    when(.sourceIP, .cidr("10.0.0.2"), outcome: "source_ip: 10.0.0.2 <- 10.0.0.1"),
    when(.validFor, .range(min: "36h", max: nil), outcome: "valid_for: {min: 36h} <- 90s"),
    when(
      .notAfter, .range(min: nil, max: "2027-01-15T08:00:00Z"),
      outcome: "not_after: {max: 2027-01-15T08:00:00Z} <- 2027-01-15T08:01:30Z"),
    when(
      .time, .window(TimeWindow(after: 545, before: nil, days: [1, 7], zone: "Europe/Madrid")),
      outcome: "time: {after: \"09:05\", days: [mon, sun], zone: Europe/Madrid} <- 2027-01-15T08:00:00Z"),
  ]

  @Test(arguments: cases)
  func aRuleSaysWhy(_ row: Case) throws {
    let policy = try #require(Make.compile([Make.worker], [row.rule]).policy)
    let explanation = policy.explain(Self.facts, at: Make.now)
    #expect(explanation.decision == policy.decide(Self.facts, at: Make.now))
    let text: String? =
      switch explanation.rules.first?.outcome {
      case .matched?: "matched"
      case .failed(let ground)?: "\(ground.field): \(ground.expected) <- \(ground.value ?? "nil")"
      case .patternLimit(let ground)?: "limit: \(ground.field): \(ground.expected) <- "
      case nil: nil
      }
    #expect(text == row.outcome)
  }

  @Test func entriesSayWhy() throws {
    let callers = [
      Make.caller("cn/{n}", Make.condition(.subjectCN, .plain("{n}"))),
      Make.caller(
        "both/{w}", Make.condition(.sanURI, .plain("x://w/{w}")), Make.condition(.alpn, .plain("h3"))),
      Make.caller(
        "{w}", Make.condition(.sanURI, .plain("x://w/{w}")), Make.condition(.sanDNS, .plain("{w}"))),
      Make.worker, Make.caller("late", Make.condition(.sanURI, .plain("x://w/a"))),
    ]
    var facts = Self.facts
    facts[.sanDNS] = .texts(["b"])
    let policy = try #require(Make.compile(callers, []).policy)
    let explanation = policy.explain(facts, at: Make.now)
    #expect(explanation.entries.map(\.name) == ["cn/{n}", "both/{w}", "{w}", "worker/{w}", "late"])
    #expect(
      explanation.entries.map(\.outcome) == [
        .failed(.init(field: "subject_cn", expected: "{n}", value: nil)),
        .failed(.init(field: "alpn", expected: "h3", value: "h2")),
        .failed(.init(field: "match", expected: "san_uri, san_dns that agree on each capture", value: nil)),
        .matched(caller: "worker/a"), .notReached,
      ])
  }

  @Test func withoutACallerNoRuleIsLookedAt() throws {
    let policy = try #require(Make.compile([Make.worker], [Make.rule("r")]).policy)
    #expect(policy.explain(Make.uri("y://"), at: Make.now).rules.isEmpty)
    let ambiguous = policy.explain(Make.uri("x://w/a", "x://w/b"), at: Make.now)
    #expect(ambiguous.entries.map(\.outcome) == [.ambiguous(["worker/a", "worker/b"])])
    #expect(ambiguous.decision.reason == .callerAmbiguous)
    var unreadable = Self.facts
    unreadable.unreadableNames = [UnreadableName(place: "subject", problem: "contains NUL")]
    #expect(policy.explain(unreadable, at: Make.now).entries.isEmpty)
  }

  @Test func twoEntriesThatNameTwoValuesAreShownAsAmbiguous() throws {
    let callers = ["a", "b"].map { Make.caller($0, Make.condition(.sanURI, .plain("x://w/\($0)"))) }
    let policy = try #require(Make.compile(callers, []).policy)
    let explanation = policy.explain(Make.uri("x://w/a", "x://w/b"), at: Make.now)
    #expect(explanation.entries.map(\.outcome) == [.ambiguous(["a", "b"]), .notReached])
  }
}
