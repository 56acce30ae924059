import AccessPolicy
import Testing

/// What is wrong with policies, told where and in which words.
struct CompileTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var callers: [CallerEntry] = [Make.worker]
    var rules: [RuleEntry] = []
    let finding: String
    var testDescription: String { finding }
  }

  static let cases: [Case] = [
    Case(
      rules: [Make.rule("a"), Make.rule("a", .deny)],
      finding: "duplicate-rule: rule 'a' is already defined at p.yaml:1"),
    Case(
      rules: [Make.rule("a", callers: ["group:x"])], finding: "unknown-group: no caller is in the group 'x'"),
    Case(
      rules: [Make.rule("a", listeners: ["dbs"])], finding: "unknown-listener: no listener is called 'dbs'"),
    Case(
      rules: [Make.rule("a", listeners: ["x*"])], finding: "unknown-listener: no listener is called 'x*'"),
    Case(
      callers: [Make.caller("c/{x}", Make.condition(.sanURI, .plain("u")))],
      finding: "undefined-capture: caller 'c/{x}': {x} is not captured by every way to match"),
    Case(
      callers: [Make.caller("c/{x}", Make.condition(.sanURI, .plain("{x}"), .plain("u")))],
      finding: "undefined-capture: caller 'c/{x}': {x} is not captured by every way to match"),
    Case(callers: [Make.caller("c")], finding: "empty-match: caller 'c' matches nothing"),
    Case(
      callers: [Make.caller("c/{", Make.condition(.sanURI, .plain("u")))],
      finding: "bad-name: caller 'c/{': '{' is not closed"),
    Case(
      rules: [Make.rule("a", when: [Make.condition(.postgresUser, .plain("{z}"))])],
      finding: "undefined-capture: rule 'a': no caller that it is about captures {z}"),
    Case(
      callers: [Make.worker, Make.caller("d/{d}", Make.condition(.subjectCN, .plain("{d}")))],
      rules: [Make.rule("a", callers: ["d/*"], when: [Make.condition(.postgresUser, .plain("{w}"))])],
      finding: "undefined-capture: rule 'a': no caller that it is about captures {w}"),
    Case(
      rules: [Make.rule("a", when: [Make.condition(.alpn, .regex("("))])],
      finding: "bad-matcher: alpn: missing closing parenthesis"),
    Case(
      rules: [Make.rule("a", when: [Make.condition(.sourceIP, .plain("10.1.2.3/8"))])],
      finding: "bad-matcher: source_ip: '10.1.2.3/8' is no address and no CIDR block"),
    Case(
      rules: [Make.rule("a", when: [Make.condition(.alpn, .cidr("10.0.0.0/8"))])],
      finding: "bad-matcher: alpn: cidr does not go with alpn, which is text"),
    Case(
      rules: [Make.rule("a", when: [Make.condition(.sourceIP, .regex(".*"))])],
      finding: "bad-matcher: source_ip: regex does not go with source_ip, which is an address"),
    Case(
      rules: [Make.rule("a", when: [Make.condition(.keyBits, .range(min: "2", max: "1"))])],
      finding: "bad-matcher: key_bits: min is greater than max, so nothing would match"),
    Case(
      rules: [Make.rule("a", when: [Make.condition(.keyBits, .plain("big"))])],
      finding: "bad-matcher: key_bits: expected a whole number, found 'big'"),
    Case(
      rules: [Make.rule("a", when: [Make.condition(.alpn, .range(min: "1", max: nil))])],
      finding: "bad-matcher: alpn: min and max does not go with alpn, which is text"),
    Case(
      rules: [Make.rule("a", when: [Make.condition(.validFor, .plain("1d"))])],
      finding: "bad-matcher: valid_for: expected {min: …} or {max: …} with a duration, found '1d'"),
    Case(
      rules: [Make.rule("a", when: [Make.condition(.alpn, .prefix(""))])],
      finding: "bad-matcher: alpn: an empty prefix would match everything"),
    Case(
      rules: [Make.rule("a", when: [Make.condition(.alpn)])],
      finding: "empty-condition: alpn has no value to compare with"),
    Case(
      rules: [
        Make.rule(
          "a",
          when: [
            Make.condition(.time, .window(TimeWindow(after: 0, before: 1, days: [], zone: "Mars/Olympus")))
          ])
      ], finding: "bad-matcher: time: unknown time zone 'Mars/Olympus'"),
    Case(
      callers: [Make.caller("c", Make.condition(.sanURI, .plain("{a}{b}")))],
      finding: "bad-matcher: san_uri: {a} and {b} stand side by side"),
  ]

  @Test(arguments: cases)
  func mistakesAreErrors(_ row: Case) {
    let (policy, diagnostics) = Make.compile(row.callers, row.rules)
    #expect(policy == nil)
    #expect(diagnostics.contains { "\($0.code): \($0.message)".hasPrefix(row.finding) }, "\(diagnostics)")
    #expect(diagnostics.allSatisfy { $0.location.file == "p.yaml" && $0.location.line == 1 })
  }

  @Test func everyMistakeIsToldInOneRun() {
    let (_, diagnostics) = Make.compile([Make.worker], Self.cases.flatMap(\.rules))
    #expect(diagnostics.count >= 14)
  }

  @Test func aRuleMayUseWhatSomeOfItsCallersCapture() {
    let callers = [Make.worker, Make.caller("d", Make.condition(.subjectCN, .plain("d")))]
    let rule = Make.rule("a", when: [Make.condition(.postgresUser, .plain("{w}"))])
    #expect(Make.compile(callers, [rule]).policy != nil)
  }
}
