import AccessPolicy
import Testing

@testable import GatewayConfiguration

/// Policy files that are accepted, and what they mean.
struct ValidPolicyTests {
  private func read(_ text: String) throws -> PolicyDocument {
    let (document, diagnostics) = PolicyReader.read(Array(text.utf8), file: "p.yaml")
    #expect(diagnostics == [])
    return try #require(document)
  }

  private func matchers(_ value: String, of field: String = "subject_cn") throws -> [ValueMatcher] {
    let document = try read("version: 1\nrules:\n  - {name: r, action: log, when: {\(field): \(value)}}\n")
    return document.rules.first?.when.first?.alternatives.map(\.value) ?? []
  }

  @Test(
    arguments: [
      ("orders", [.plain("orders")]), ("[a, b]", [.plain("a"), .plain("b")]),
      ("\"{x}_rw\"", [.plain("{x}_rw")]),
      ("no", [.plain("no")]), ("0x10", [.plain("0x10")]), ("\"null\"", [.plain("null")]),
      ("{glob: \"a*\"}", [.glob("a*")]),
      ("{regex: \"dev-(?<id>[0-9a-f]{8})\"}", [.regex("dev-(?<id>[0-9a-f]{8})")]),
      ("{prefix: a}", [.prefix("a")]), ("{suffix: b}", [.suffix("b")]),
      ("{cidr: 10.0.0.0/8}", [.cidr("10.0.0.0/8")]),
      ("{min: 1}", [.range(min: "1", max: nil)]), ("{max: 30d}", [.range(min: nil, max: "30d")]),
      ("{max: 2, min: 1}", [.range(min: "1", max: "2")]), ("{present: true}", [.present(true)]),
      ("{present: false}", [.present(false)]), ("[{prefix: a}, b]", [.prefix("a"), .plain("b")]),
    ] as [(String, [ValueMatcher])])
  func everyFormOfAMatcher(_ value: String, _ expected: [ValueMatcher]) throws {
    #expect(try matchers(value) == expected)
  }

  @Test(arguments: [
    (
      "{after: \"08:00\", before: \"18:00\", days: [mon-fri], zone: Europe/Madrid}",
      TimeWindow(after: 480, before: 1080, days: [1, 2, 3, 4, 5], zone: "Europe/Madrid")
    ),
    (
      "{after: 22:30, before: 24:00, zone: UTC}",
      TimeWindow(after: 1350, before: 1440, days: [], zone: "UTC")
    ),
    (
      "{days: [sat-mon, wed], zone: UTC}",
      TimeWindow(after: nil, before: nil, days: [6, 7, 1, 3], zone: "UTC")
    ),
    ("{days: sun, zone: UTC}", TimeWindow(after: nil, before: nil, days: [7], zone: "UTC")),
  ])
  func timeWindows(_ value: String, _ expected: TimeWindow) throws {
    #expect(try matchers(value, of: "time") == [.window(expected)])
  }

  @Test func callersAndRulesKeepWhatWasWrittenAndWhere() throws {
    let document = try read(Self.policy)
    #expect(document.callers.map(\.name.value) == ["worker/{worker}", "device/{id}"])
    #expect(document.callers[0].groups.map(\.value) == ["workers"])
    #expect(document.callers[1].match.map(\.field) == [.subjectOU, .subjectCN])
    #expect(document.callers[1].match[1].location.description == "p.yaml:9:7")
    #expect(document.callers[1].match[1].alternatives[0].location.description == "p.yaml:9:19")
    let rule = document.rules[0]
    #expect(rule.name.value == "orders")
    #expect(rule.action == .allow)
    #expect(rule.mode == .shadow)
    #expect(rule.callers?.map(\.value) == ["worker/orders", "group:billing"])
    #expect(rule.listeners?.map(\.value) == ["orders-db"])
    #expect(rule.unless.map(\.field) == [.sourceIP])
    #expect(rule.expires?.value == Timestamp(rfc3339: "2027-01-31T00:00:00Z"))
    #expect(document.rules[1].callers == nil)
    #expect(document.rules[1].listeners == nil)
    #expect(document.rules[1].mode == .enforce)
  }

  @Test func testsKeepWhatTheyGiveAndExpect() throws {
    let test = try #require(try read(Self.policy).tests.first)
    #expect(test.given[.sanURI] == .texts(["spiffe://a/worker/x", "spiffe://a/worker/y"]))
    #expect(test.given[.keyBits] == .integer(2048))
    #expect(test.given.fields == [.sanURI, .keyBits])
    #expect(test.expect == .deny)
    #expect(test.caller?.value == "worker/x")
    #expect(test.reason?.value == .callerAmbiguous)
    #expect(test.shadow?.value == .allow)
    #expect(test.at == Timestamp(rfc3339: "2026-01-01T00:00:00Z"))
  }

  /// The words are those of the field's own parser; that they stand at the value is for us.
  @Test func aGivenValueThatItsFieldCannotHaveIsRefused() throws {
    let text = "version: 1\ntests:\n  - {name: a, given: {key_bits: many}, expect: deny}\n"
    let (document, diagnostics) = PolicyReader.read(Array(text.utf8), file: "p.yaml")
    #expect(document == nil)
    #expect(diagnostics.map(\.code) == ["invalid-value"])
    #expect(diagnostics.map(\.location.description) == ["p.yaml:3:33"])
    #expect(diagnostics.first?.message.hasPrefix("key_bits: ") == true)
  }

  @Test func emptyListsOfEntriesAreAccepted() throws {
    #expect(try read("version: 1\ncallers: []\nrules: []\ntests: []\n").rules.isEmpty)
  }

  static let policy = """
    version: 1
    callers:
      - name: worker/{worker}
        groups: [workers]
        match: { san_uri: "spiffe://a/worker/{worker}" }
      - name: device/{id}
        match:
          subject_ou: devices
          subject_cn: { regex: "dev-(?<id>[0-9a-f]{8})" }
    rules:
      - name: orders
        action: allow
        callers: [worker/orders, group:billing]
        listeners: orders-db
        when: { server_name: [a, b] }
        unless: { source_ip: 10.9.0.0/16 }
        mode: shadow
        expires: 2027-01-31T00:00:00Z
      - { name: all, action: log }
    tests:
      - name: two names
        given: { san_uri: ["spiffe://a/worker/x", "spiffe://a/worker/y"], key_bits: 2048 }
        expect: deny
        caller: worker/x
        reason: caller_ambiguous
        shadow: allow
        at: 2026-01-01T00:00:00Z
    """
}
