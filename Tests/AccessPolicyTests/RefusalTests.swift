import AccessPolicy
import Testing

/// Each mistake alone: one finding, at the place of the mistake, in these words.
struct RefusalTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var callers: [CallerEntry] = [Make.worker]
    var rules: [RuleEntry] = []
    let finding: String
    var testDescription: String { finding }
  }

  private static func value(_ field: Field, _ matcher: ValueMatcher) -> Condition {
    Condition(
      field: field, alternatives: [Located(matcher, at: SourceLocation(file: "p.yaml", line: 7, column: 21))],
      location: SourceLocation(file: "p.yaml", line: 7, column: 13))
  }

  private static func when(_ field: Field, _ matcher: ValueMatcher, _ finding: String) -> Case {
    Case(rules: [Make.rule("a", when: [value(field, matcher)])], finding: finding)
  }

  private static func match(_ field: Field, _ matcher: ValueMatcher, _ finding: String) -> Case {
    Case(callers: [Make.caller("c", value(field, matcher))], finding: finding)
  }

  /// A digest as other programs write it: the finding says what to write.
  private static func pin(_ text: String) -> Case {
    when(
      .spkiSHA256, .plain(text),
      "7:21: bad-matcher: spki_sha256: expected 64 hexadecimal digits, found '\(text)', which is "
        + "64f46a7526a186d2346552453ae478ca51244674f5b21ba150bd483b39f7c812")
  }

  static let values: [Case] = [
    when(
      .alpn, .regex("a(b"), "7:21: bad-matcher: alpn: missing closing parenthesis (at byte 4 of the value)"),
    when(
      .sha256, .plain("AB:CD"), "7:21: bad-matcher: sha256: expected 64 hexadecimal digits, found 4"),
    pin("ZPRqdSahhtI0ZVJFOuR4ylEkRnT1shuhUL1IOzn3yBI="),
    pin("sha256//ZPRqdSahhtI0ZVJFOuR4ylEkRnT1shuhUL1IOzn3yBI="),
    pin("pin-sha256=\"ZPRqdSahhtI0ZVJFOuR4ylEkRnT1shuhUL1IOzn3yBI=\""),
    pin("ZPRqdSahhtI0ZVJFOuR4ylEkRnT1shuhUL1IOzn3yBI"),
    pin("SHA256:64F46A7526A186D2346552453AE478CA51244674F5B21BA150BD483B39F7C812"),
    pin(
      "sha256 Fingerprint=64:F4:6A:75:26:A1:86:D2:34:65:52:45:3A:E4:78:CA:51:24:46:74:F5:B2:1B:A1:50:BD:48:3B:39:F7:C8:12"
    ),
    when(
      .spkiSHA256, .plain("AAAA"), "7:21: bad-matcher: spki_sha256: expected 64 hexadecimal digits, found 4"),
    when(
      .spkiSHA256, .plain("ZPRqdSahhtI0"),
      "7:21: bad-matcher: spki_sha256: 'ZPRqdSahhtI0' is not hexadecimal"),
    when(.ski, .plain("xyz"), "7:21: bad-matcher: ski: 'xyz' is not hexadecimal"),
    when(.serial, .plain(":"), "7:21: bad-matcher: serial: expected hexadecimal digits, found ':'"),
    when(.ski, .prefix(":"), "7:21: bad-matcher: ski: an empty prefix would match everything"),
    when(.ski, .suffix(":"), "7:21: bad-matcher: ski: an empty suffix would match everything"),
    when(.ski, .glob("ab*-"), "7:21: bad-matcher: ski: 'ab*-' is not hexadecimal"),
    when(
      .serial, .prefix("00"),
      "7:21: bad-matcher: serial: a serial number is compared without leading zeros, so none begins with '00'"
    ),
    when(
      .postgresUser, .prefix("{w}_"),
      "7:21: bad-matcher: postgres_user: {w} stands in a prefix, but names in braces belong to plain values; "
        + "for braces themselves use a regex"),
    when(
      .postgresUser, .glob("{w}*"),
      "7:21: bad-matcher: postgres_user: {w} stands in a glob, but names in braces belong to plain values; "
        + "for braces themselves use a regex"),
    when(.resumed, .plain("yes"), "7:21: bad-matcher: resumed: expected true or false, found 'yes'"),
    when(
      .alpn, .window(TimeWindow(after: 1, before: 2, days: [], zone: "UTC")),
      "7:21: bad-matcher: alpn: a time window belongs to the field 'time'"),
    when(
      .time, .plain("08:00"),
      "7:21: bad-matcher: time: expected a time window such as {after: \"08:00\", before: \"18:00\"}"),
    when(
      .time, .window(TimeWindow(after: 1, before: 2, days: [], zone: "CEST")),
      "7:21: bad-matcher: time: unknown time zone 'CEST'; expected a name such as Europe/Madrid"),
    when(
      .validFor, .range(min: "10", max: nil),
      "7:21: bad-matcher: valid_for: expected a duration such as 12h or 30d, found '10'"),
    when(
      .notAfter, .range(min: "2027", max: nil),
      "7:21: bad-matcher: not_after: expected a time such as 2027-01-31T00:00:00Z, found '2027'"),
    match(
      .postgresUser, .plain("admin"),
      "7:13: field-not-in-callers: postgres_user is what the client says of itself, so it cannot name a caller "
        + "(ask it under 'when' of a rule)"),
    match(
      .serverName, .plain("{h}.example.com"),
      "7:21: bad-matcher: server_name: server_name is no part of the certificate, so nothing of it may be "
        + "captured for a caller's name"),
    match(
      .alpn, .regex("(?<h>.*)"),
      "7:21: bad-matcher: alpn: alpn is no part of the certificate, so nothing of it may be captured for a "
        + "caller's name"),
    match(
      .sanURI, .plain("{a}{b}"),
      "7:21: bad-matcher: san_uri: {a} and {b} stand side by side, so nobody could tell where one ends"),
    match(.sanURI, .plain("x}"), "7:21: bad-matcher: san_uri: '}' without '{' (at byte 2 of the value)"),
  ]

  private static func named(_ name: String, groups: [String] = []) -> [CallerEntry] {
    [Make.caller(name, groups: groups, Make.condition(.sanURI, .plain("u")))]
  }

  static let names: [Case] = [
    Case(callers: named(""), finding: "1:0: bad-name: caller '': the name is empty"),
    Case(
      callers: named("worker/*"),
      finding: "1:0: bad-name: caller 'worker/*': a name has no '*', which stands for other names in rules"),
    Case(
      callers: named("group:x"),
      finding:
        "1:0: bad-name: caller 'group:x': 'group:' is how rules speak of groups, so no rule could speak "
        + "of this caller"),
    Case(
      callers: named("a\u{7}"), finding: "1:0: bad-name: caller 'a\u{7}': a name has no control characters"),
    Case(
      callers: named("a", groups: ["team-{t}"]),
      finding:
        "1:0: bad-group: the group 'team-{t}' has a brace: nothing is filled in in groups (a rule reaches "
        + "all names of one form by a glob, such as a)"),
    Case(
      callers: [Make.caller("c/{x}", Make.condition(.sanURI, .glob("x/*")))],
      finding:
        "1:0: undefined-capture: caller 'c/{x}': {x} is not captured by every way to match (write {x} or "
        + "(?<x>…) in each value of one field under 'match')"),
    Case(
      rules: [Make.rule("a", callers: ["group:x"])],
      finding: "1:0: unknown-group: no caller is in the group 'x' (groups are: workers)"),
    Case(
      rules: [Make.rule("a", listeners: ["d"])],
      finding: "1:0: unknown-listener: no listener is called 'd' (listeners are: db, api)"),
    Case(
      rules: [Make.rule("a"), Make.rule("a", .deny)],
      finding: "1:0: duplicate-rule: rule 'a' is already defined at p.yaml:1 (rule names are unique over all "
        + "files, because the log speaks of them)"),
    Case(
      callers: named("d") + [Make.worker],
      rules: [Make.rule("a", callers: ["d"], when: [Make.condition(.alpn, .plain("{w}"))])],
      finding: "1:0: undefined-capture: rule 'a': no caller that it is about captures {w} (a name in braces "
        + "stands for what the caller's mapping captured)"),
    Case(
      rules: [Make.rule("a", unless: [Make.condition(.alpn, .plain("{z}"))])],
      finding: "1:0: undefined-capture: rule 'a': no caller that it is about captures {z} (a name in braces "
        + "stands for what the caller's mapping captured)"),
  ]

  @Test(arguments: values + names)
  func oneMistakeIsOneError(_ row: Case) {
    let (policy, diagnostics) = Make.compile(row.callers, row.rules)
    #expect(policy == nil)
    #expect(diagnostics.map(Self.text) == [row.finding])
    #expect(diagnostics.allSatisfy { $0.severity == .error })
  }

  static let doubts: [Case] = [
    Case(
      rules: [Make.rule("a", callers: ["worker/a", "wroker/a"])],
      finding:
        "1:0: unknown-caller: no entry of 'callers' gives the name 'wroker/a' (the rule never matches for "
        + "it; is the name spelled as under 'callers'?)"),
    Case(
      rules: [Make.rule("a", callers: ["worker/a/b"])],
      finding:
        "1:0: unknown-caller: no entry of 'callers' gives the name 'worker/a/b' (the rule never matches "
        + "for it; is the name spelled as under 'callers'?)"),
    Case(
      rules: [Make.rule("a", callers: ["*"])],
      finding:
        "1:0: unknown-caller: no entry of 'callers' gives the name '*' (the rule never matches for it; is "
        + "the name spelled as under 'callers'?)"),
    Case(
      callers: named("a") + named("b"),
      finding:
        "1:0: duplicate-caller: caller 'b' matches exactly what 'a' at p.yaml:1 does (the first entry that "
        + "matches names the caller, so this one never does)"),
    Case(
      callers: ["a", "b"].map { name in
        Make.caller(
          name,
          Make.condition(
            .spkiSHA256, .plain(String(repeating: "AB", count: 32)),
            .plain(String(repeating: name, count: 64))))
      },
      finding:
        "1:0: shared-key: this spki_sha256 names 'a' at p.yaml:1 already (the first entry that matches "
        + "names the caller; give each caller a key of its own)"),
    Case(
      callers: ["a", "b"].map { name in
        Make.caller(
          name, Make.condition(.spkiSHA256, .plain(String(repeating: "AB", count: 32))),
          Make.condition(.issuerCN, .plain(name)))
      },
      finding:
        "1:0: shared-key: this spki_sha256 names 'a' at p.yaml:1 already (the first entry that matches "
        + "names the caller; give each caller a key of its own)"),
    Case(
      callers: [Make.caller("cf", Make.condition(.issuerCN, .plain("origin-pull.cloudflare.net")))],
      rules: [Make.rule("a")],
      finding:
        "1:0: shared-certificate: rule 'a' allows Cloudflare's shared origin-pull certificate, which every "
        + "customer of Cloudflare can come with (upload a certificate of your own for the zone, and name the "
        + "caller by its spki_sha256)"),
  ]

  @Test(arguments: doubts)
  func doubtsAreWarnings(_ row: Case) {
    let (policy, diagnostics) = Make.compile(row.callers, row.rules)
    #expect(policy != nil)
    #expect(diagnostics.map(Self.text) == [row.finding])
    #expect(diagnostics.allSatisfy { $0.severity == .warning })
  }

  static let sound: [Case] = [
    Case(
      callers: ["a", "b"].map { name in
        Make.caller(
          name, Make.condition(.spkiSHA256, .plain(String(repeating: "AB", count: 32))),
          Make.condition(.listener, .plain(name)))
      }, finding: "one key, two listeners"),
    Case(
      rules: [Make.rule("a", callers: ["worker/a", "worker/*", "**", "group:workers"])], finding: "callers"),
    Case(
      callers: [
        Make.caller(
          "cf", Make.condition(.issuerCN, .plain("origin-pull.cloudflare.net")),
          Make.condition(.spkiSHA256, .plain(String(repeating: "a", count: 64))))
      ], rules: [Make.rule("a")], finding: "pinned"),
    Case(
      callers: [Make.caller("cf", Make.condition(.issuerCN, .plain("origin-pull.cloudflare.net")))],
      rules: [Make.rule("a", .deny), Make.rule("b", mode: .shadow)], finding: "nothing allowed"),
    when(.alpn, .regex("a{2}"), "braces of a regex"),
    when(
      .time, .window(TimeWindow(after: 1, before: 2, days: [], zone: "US/Eastern")), "an old name of a zone"),
  ]

  @Test(arguments: sound)
  func soundPoliciesHaveNoFindings(_ row: Case) {
    let (policy, diagnostics) = Make.compile(row.callers, row.rules)
    #expect(policy != nil)
    #expect(diagnostics.isEmpty)
  }

  /// A rule that refers to an entry with an error is not blamed for it.
  @Test func oneMistakeIsNotToldTwice() {
    let entry = Make.caller("worker/{w}", Make.condition(.sanURI, .regex("(?<w>")))
    let rule = Make.rule("a", callers: ["worker/a"], when: [Make.condition(.alpn, .plain("{w}"))])
    #expect(Make.compile([entry], [rule]).diagnostics.map(\.code) == ["bad-matcher"])
  }

  @Test func expiredRulesAreTold() throws {
    let rules = [
      Make.rule("old", expires: Make.now), Make.rule("new", expires: .distantFuture), Make.rule("always"),
    ]
    let policy = try #require(Make.compile([Make.worker], rules).policy)
    #expect(
      policy.expiredRules(at: Make.now).map(Self.text) == [
        "1:0: expired-rule: rule 'old' does not apply since 2027-01-15T08:00:00Z (remove the rule or extend "
          + "'expires')"
      ])
    #expect(policy.expiredRules(at: Timestamp(seconds: 0)).isEmpty)
  }

  /// The configuration reports these; the policy must only not fall over.
  @Test func twoListenersOfOneNameAreNoTrap() throws {
    let policy = try #require(
      Make.compile([Make.worker], [Make.rule("a", listeners: ["db"])], listeners: ["db", "db"]).policy)
    #expect(policy.decide(Make.uri("x://w/a"), at: Make.now).verdict == .allow)
  }

  private static func text(_ finding: Diagnostic) -> String {
    let hint = finding.hint.map { " (\($0))" } ?? ""
    return "\(finding.location.line):\(finding.location.column): \(finding.code): \(finding.message)\(hint)"
  }
}
