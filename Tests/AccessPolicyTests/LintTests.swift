import AccessPolicy
import Testing

/// Advice on policies: for each finding one policy that has it, and near misses that do not.
struct LintTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var callers: [CallerEntry] = [Make.worker]
    var rules: [RuleEntry] = []
    /// `code: message`; empty for a near miss.
    var findings: [String] = []
    var testDescription: String { name }
  }

  static func lint(
    _ callers: [CallerEntry], _ rules: [RuleEntry], _ tests: [PolicyTest] = [],
    listeners: [String]? = ["db", "api"]
  ) throws -> [Diagnostic] {
    let document = PolicyDocument(file: "p.yaml", callers: callers, rules: rules, tests: tests)
    let (policy, diagnostics) = Policy.compile([document], listeners: listeners)
    guard let policy else { throw CompileFailure(diagnostics: diagnostics) }
    return policy.lint([document], listeners: listeners.map { $0.map(Self.listener) }, at: Make.now)
  }

  /// `db` speaks Postgres, and whatever else there is plain TCP.
  private static func listener(_ name: String) -> LintedListener {
    LintedListener(
      name: name, upstream: "\(name)-server", wireProtocol: name == "db" ? "postgres" : "tcp",
      trustLabels: name == "db" ? ["workers"] : [])
  }

  @Test(arguments: ruleCases + callerCases + patternCases + DomainCases.all)
  func whatIsFound(_ row: Case) throws {
    let findings = try Self.lint(row.callers, row.rules)
    #expect(findings.map { "\($0.code): \($0.message)" } == row.findings)
    #expect(findings.allSatisfy { $0.severity == .warning && $0.location.line > 0 && $0.hint != nil })
  }

  static func when(_ field: Field, _ matchers: ValueMatcher...) -> Condition {
    Condition(
      field: field, alternatives: matchers.map { Located($0, at: Make.place()) }, location: Make.place())
  }

  static func never(_ code: String, _ reason: String) -> [String] {
    ["\(code): rule 'r' can never match: \(reason)"]
  }

  private static let shadowed = [
    "shadowed-rule: rule 'r' never allows anything: rule 'no' at p.yaml:1 denies whatever it matches"
  ]

  private static func pair(_ name: String, _ rule: RuleEntry, _ deny: RuleEntry, found: Bool) -> Case {
    Case(
      name: name,
      callers: [Make.worker, Make.caller("cron", groups: ["jobs"], when(.sanURI, .plain("x://cron")))],
      rules: [rule, deny], findings: found ? shadowed : [])
  }

  static let ruleCases: [Case] = [
    Case(name: "nothing to say", rules: [Make.rule("r", when: [when(.alpn, .plain("h2"))])]),
    Case(
      name: "expired", rules: [Make.rule("r", expires: Make.now)],
      findings: ["expired-rule: rule 'r' does not apply since 2027-01-15T08:00:00Z"]),
    // when and unless
    Case(
      name: "unless as when",
      rules: [Make.rule("r", when: [when(.alpn, .plain("h2"))], unless: [when(.alpn, .plain("h2"))])],
      findings: never("contradiction", "'unless' excepts everything that it asks for")),
    Case(
      name: "unless broader than when",
      rules: [
        Make.rule(
          "r", when: [when(.sourceIP, .plain("10.1.0.0/16"))], unless: [when(.sourceIP, .cidr("10.0.0.0/8"))])
      ],
      findings: never("contradiction", "'unless' excepts everything that it asks for")),
    Case(
      name: "unless names the listener",
      rules: [Make.rule("r", listeners: ["db"], unless: [when(.listener, .plain("db"))])],
      findings: never("contradiction", "'unless' excepts everything that it asks for")),
    Case(
      name: "unless narrower than when",
      rules: [
        Make.rule(
          "r", when: [when(.sourceIP, .plain("10.0.0.0/8"))], unless: [when(.sourceIP, .cidr("10.1.0.0/16"))])
      ]),
    Case(
      name: "unless asks for more",
      rules: [
        Make.rule(
          "r", when: [when(.alpn, .plain("h2"))],
          unless: [when(.alpn, .plain("h2")), when(.sourceIP, .plain("10.0.0.0/8"))])
      ]),
    // listeners
    Case(
      name: "two listeners",
      rules: [Make.rule("r", listeners: ["db"], when: [when(.listener, .plain("api"))])],
      findings: never("contradiction", "its 'listeners' and its condition on the listener exclude each other")
    ),
    Case(
      name: "one listener", rules: [Make.rule("r", listeners: ["d*"], when: [when(.listener, .plain("db"))])]),
    Case(
      name: "no such listener", rules: [Make.rule("r", when: [when(.listener, .plain("web"))])],
      findings: never("impossible-value", "no connection has such a listener")),
    // callers
    Case(
      name: "another key",
      callers: [Make.caller("key", when(.spkiSHA256, .plain(String(repeating: "a", count: 64))))],
      rules: [
        Make.rule("r", callers: ["key"], when: [when(.spkiSHA256, .plain(String(repeating: "b", count: 64)))])
      ],
      findings: never("contradiction", "its callers are mapped from another spki_sha256")),
    Case(
      name: "the same key",
      callers: [Make.caller("key", when(.spkiSHA256, .plain(String(repeating: "a", count: 64))))],
      rules: [
        Make.rule("r", callers: ["key"], when: [when(.spkiSHA256, .plain(String(repeating: "A", count: 64)))])
      ]),
    Case(
      name: "a field of several values may have both",
      callers: [Make.caller("a", when(.subjectOU, .plain("x")))],
      rules: [Make.rule("r", callers: ["a"], when: [when(.subjectOU, .plain("y"))])]),
    // values
    Case(
      name: "no such version", rules: [Make.rule("r", when: [when(.tlsVersion, .plain("TLSv1.3"))])],
      findings: never("impossible-value", "no connection has such a tls_version")),
    Case(
      name: "one of two versions",
      rules: [Make.rule("r", when: [when(.tlsVersion, .plain("1.1"), .plain("1.2"))])],
      findings: ["impossible-value: no connection has such a tls_version"]),
    Case(name: "a version", rules: [Make.rule("r", when: [when(.tlsVersion, .prefix("1."))])]),
    Case(
      name: "no such port",
      rules: [Make.rule("r", when: [when(.sourcePort, .range(min: "65536", max: nil))])],
      findings: never("impossible-value", "no connection has such a source_port")),
    Case(
      name: "the last port",
      rules: [Make.rule("r", when: [when(.sourcePort, .range(min: "65535", max: nil))])]),
    Case(
      name: "an empty range", rules: [Make.rule("r", when: [when(.keyBits, .range(min: nil, max: "0"))])],
      findings: never("impossible-value", "no connection has such a key_bits")),
    // denies
    pair("denied as a whole", Make.rule("r"), Make.rule("no", .deny), found: true),
    pair("denied in shadow", Make.rule("r"), Make.rule("no", .deny, mode: .shadow), found: false),
    pair(
      "denied on the same condition", Make.rule("r", when: [when(.alpn, .plain("h2"))]),
      Make.rule("no", .deny, when: [when(.alpn, .plain("h3"), .plain("h2"))]), found: true),
    pair(
      "denied on another condition", Make.rule("r", when: [when(.alpn, .plain("h2"))]),
      Make.rule("no", .deny, when: [when(.alpn, .plain("h3"))]), found: false),
    pair(
      "allowed more than is denied", Make.rule("r", when: [when(.alpn, .plain("h2"), .plain("h3"))]),
      Make.rule("no", .deny, when: [when(.alpn, .plain("h3"))]), found: false),
    pair(
      "denied by prefix", Make.rule("r", when: [when(.postgresUser, .plain("ro_a"))]),
      Make.rule("no", .deny, when: [when(.postgresUser, .prefix("ro_"))]), found: true),
    pair(
      "denied by network", Make.rule("r", when: [when(.sourceIP, .plain("10.1.2.3"))]),
      Make.rule("no", .deny, when: [when(.sourceIP, .cidr("10.0.0.0/8"))]), found: true),
    pair(
      "denied with an exception", Make.rule("r"), Make.rule("no", .deny, unless: [when(.alpn, .plain("h2"))]),
      found: false),
    pair(
      "denied with the rule's own exception", Make.rule("r", unless: [when(.alpn, .prefix("h"))]),
      Make.rule("no", .deny, unless: [when(.alpn, .plain("h2"))]), found: true),
    pair(
      "denied for its group", Make.rule("r", callers: ["worker/a"]),
      Make.rule("no", .deny, callers: ["group:workers"]), found: true),
    pair(
      "denied for another group", Make.rule("r", callers: ["worker/a"]),
      Make.rule("no", .deny, callers: ["group:jobs"]), found: false),
    pair(
      "denied by a glob", Make.rule("r", callers: ["worker/a"]),
      Make.rule("no", .deny, callers: ["worker/*"]),
      found: true),
    pair(
      "one of two callers denied", Make.rule("r", callers: ["worker/a", "cron"]),
      Make.rule("no", .deny, callers: ["worker/*"]), found: false),
    pair(
      "denied at its listener", Make.rule("r", listeners: ["db"]), Make.rule("no", .deny, listeners: ["d*"]),
      found: true),
    pair(
      "denied at one listener", Make.rule("r"), Make.rule("no", .deny, listeners: ["db"]), found: false),
    pair("denied for a while", Make.rule("r"), Make.rule("no", .deny, expires: .distantFuture), found: false),
    pair(
      "denied for longer", Make.rule("r", expires: Timestamp(seconds: Make.now.seconds + 1)),
      Make.rule("no", .deny, expires: .distantFuture), found: true),
  ]

  private static func behind(_ name: String, _ first: String) -> [String] {
    [
      "unreachable-caller: caller '\(name)' is never reached: '\(first)' at p.yaml:1 matches everything that "
        + "it matches"
    ]
  }

  private static func callers(_ name: String, _ entries: [CallerEntry], _ findings: [String] = []) -> Case {
    Case(name: name, callers: entries, findings: findings)
  }

  static let callerCases: [Case] = [
    callers(
      "a name behind a capture", [Make.worker, Make.caller("a", when(.sanURI, .plain("x://w/a")))],
      behind("a", "worker/{w}")),
    callers("a name before a capture", [Make.caller("a", when(.sanURI, .plain("x://w/a"))), Make.worker]),
    callers(
      "a deeper name", [Make.worker, Make.caller("a", when(.sanURI, .plain("x://w/a/b")))]),
    callers(
      "a capture behind a capture", [Make.worker, Make.caller("v/{v}", when(.sanURI, .plain("x://w/{v}")))],
      behind("v/{v}", "worker/{w}")),
    callers(
      "behind a prefix",
      [
        Make.caller("any", when(.sanURI, .prefix("x://"))),
        Make.caller("v/{v}", when(.sanURI, .plain("x://v/{v}"))),
      ],
      behind("v/{v}", "any")),
    callers(
      "behind an entry that asks for more",
      [
        Make.caller("any", when(.sanURI, .prefix("x://")), when(.subjectOU, .plain("o"))),
        Make.caller("v", when(.sanURI, .plain("x://v"))),
      ]),
    callers(
      "behind an entry that asks for less",
      [
        Make.caller("any", when(.subjectOU, .plain("o"))),
        Make.caller("v", when(.sanURI, .plain("x://v")), when(.subjectOU, .plain("o"))),
      ], behind("v", "any")),
    callers(
      "one of two values is free",
      [Make.worker, Make.caller("a", when(.sanURI, .plain("x://w/a"), .plain("x://a")))]),
    callers(
      "behind captures that may contradict",
      [
        Make.caller("{w}", when(.sanURI, .plain("x://w/{w}")), when(.sanDNS, .plain("{w}"))),
        Make.caller("a", when(.sanURI, .plain("x://w/a")), when(.sanDNS, .plain("b"))),
      ]),
    // The compiler has told of these two.
    callers(
      "twins", [Make.caller("a", when(.alpn, .plain("x"))), Make.caller("b", when(.alpn, .plain("x")))]),
  ]

  private static func pattern(_ matcher: ValueMatcher, _ finding: String?) -> Case {
    Case(
      name: "\(matcher)", rules: [Make.rule("r", when: [when(.serverName, matcher)])],
      findings: finding.map { [$0] } ?? [])
  }

  static let patternCases: [Case] = [
    pattern(.regex("foo"), "needless-pattern: the regex 'foo' matches this one value only"),
    pattern(.regex(#"foo\.bar"#), #"needless-pattern: the regex 'foo\.bar' matches this one value only"#),
    pattern(.regex("foo|bar-x"), "needless-pattern: the regex 'foo|bar-x' matches these values only"),
    pattern(
      .regex("shop.example"),
      "regex-dot: '.' in the regex 'shop.example' matches any character, not only a dot"),
    pattern(.glob("foo"), "needless-pattern: the glob 'foo' has no '*', so it matches this one value only"),
    pattern(.regex("fo+"), nil), pattern(.regex("a.."), nil), pattern(.regex(#"\w"#), nil),
    pattern(.regex("(a|b)"), nil), pattern(.regex(#"a\{b"#), nil), pattern(.regex("a{2}"), nil),
    pattern(.glob("foo*"), nil), pattern(.plain("foo"), nil), pattern(.prefix("foo"), nil),
  ]

  @Test func testsThatSpeakOfWhatIsNotThere() throws {
    func test(_ name: String, caller: String, rule: String, listener: String) -> PolicyTest {
      PolicyTest(
        name: Located(name, at: Make.place()), given: Make.uri("x://w/a", listener: listener), expect: .deny,
        caller: Located(caller, at: Make.place()), rule: Located(rule, at: Make.place()))
    }
    let tests = [
      test("good", caller: "worker/a", rule: "r", listener: "db"),
      test("bad", caller: "worke/a", rule: "rr", listener: "bd"),
    ]
    #expect(
      try Self.lint([Make.worker], [Make.rule("r")], tests).map(\.message) == [
        "test 'bad': there is no rule 'rr'", "test 'bad': no entry of 'callers' gives the name 'worke/a'",
        "test 'bad': no listener is called 'bd'",
      ])
    #expect(try Self.lint([Make.worker], [Make.rule("r")], [tests[0]], listeners: nil).isEmpty)
  }

  /// Conditions without any text to be found by are compared with a bounded number of others.
  @Test func manyRulesAreLookedAtInLittleTime() throws {
    let networks = (0..<4000).map { "10.\($0 / 250).\($0 % 250).0/24" }
    let callers = (0..<2000).map { Make.caller("c\($0)", Self.when(.sanURI, .plain("x://c/\($0)"))) }
    let rules = networks.enumerated().map { number, network in
      Make.rule(
        "r\(number)", number % 2 == 0 ? .allow : .deny, callers: ["c\(number % 2000)"],
        when: [Self.when(.sourceIP, .plain(network))])
    }
    var findings: [Diagnostic] = []
    let time = try ContinuousClock().measure { findings = try Self.lint(callers, rules) }
    #expect(findings.isEmpty)
    #expect(time < .seconds(20))
  }
}
