import AccessPolicy
import Testing

@testable import AuditLog

@Suite struct ReadingTests {
  @Test(arguments: [
    ("{}", JSONValue.object([:])), (" [ 1 , -2.5e+3 ] ", .array([.number("1"), .number("-2.5e+3")])),
    (
      #"{"a":{"b":[true,false,null]}}"#,
      .object(["a": .object(["b": .array([.flag(true), .flag(false), .null])])])
    ),
    (#""\u00e9\ud83d\ude00\/""#, .text("é😀/")),
  ]) func jsonIsParsed(_ text: String, _ expected: JSONValue) throws {
    #expect(try JSONParser.parse(Array(text.utf8)[...]) == expected)
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "01", "-", "1.", "1e", "tru", "\"", "\"\\",
    "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\u{1}\"", "{} {}", "nul",
    "\"\\u12g4\"", "\"\\u+123\"", String(repeating: "[", count: 100_000),
  ]) func brokenJSONIsRefused(_ text: String) {
    #expect(throws: JSONError.self) { try JSONParser.parse(Array(text.utf8)[...]) }
  }

  @Test func invalidUTF8IsRefused() {
    #expect(throws: JSONError.self) { try JSONParser.parse([0x22, 0xff, 0x22]) }
  }

  /// A cut at every byte ends in an error, never in a trap.
  @Test func everyBeginningOfARecordIsRefused() throws {
    let bytes = Sample.record(Sample.events[0]).bytes
    for end in bytes.indices {
      #expect(throws: JSONError.self) { try JSONParser.parse(bytes[..<end]) }
    }
  }

  static let lines: [(Int, String)] = [
    (
      0,
      "2026-11-24 14:11:08.123  ALLOW     worker/orders  rule orders-reads  192.0.2.7:40001 → orders-db"
        + "  as postgres_user value in postgres_database value  shadow: deny by no-nights"
    ),
    (
      1,
      "2026-11-24 14:11:08.123  DENY      worker/orders  no rule allows it  192.0.2.7:40001 → orders-db"
        + "  as postgres_user value in postgres_database value"
    ),
    (
      2,
      "2026-11-24 14:11:08.123  REFUSE    certificate_expired  192.0.2.7:40001 → orders-db"
        + "  X509_V_ERR_CERT_HAS_EXPIRED: certificate has expired  subject CN=orders"
    ),
    (
      3,
      "2026-11-24 14:11:08.123  CLOSE     worker/orders  client_closed  192.0.2.7:40001 → orders-db"
        + "  10 B up, 9223372036854775807 B down, 1500 ms, cut off without close_notify"
    ),
    (
      4,
      "2026-11-24 14:11:08.123  REVOKE    worker/orders  policy_changed  rule orders-reads was removed"
        + "  192.0.2.7:40001 → orders-db"
        + "  10 B up, 9223372036854775807 B down, 1500 ms, cut off without close_notify"
    ),
    (
      5,
      "2026-11-24 14:11:08.123  FAIL      worker/orders  upstream_unreachable  192.0.2.7:40001 → orders-db"
        + "  ECONNREFUSED: connect: Connection refused"
    ),
    (
      6,
      "2026-11-24 14:11:08.123  LIMIT     max_connections 10000, 7 connections  (subject_dn value)"
        + "  192.0.2.7:40001 → orders-db"
    ),
    (7, "2026-11-24 14:11:08.123  CONFIG    listeners 1, callers 2, rules 3"),
    (8, "2026-11-24 14:11:08.123  CONFIG    unknown key “wen”  p.yaml:3"),
    (9, "2026-11-24 14:11:08.123  START     version 0.1.0  orders-db on 0.0.0.0:6432"),
    (10, "2026-11-24 14:11:08.123  STOP      SIGTERM"),
    (11, "2026-11-24 14:11:08.123  GAP       12 records lost  ENOSPC: write: No space left on device"),
  ]

  @Test(arguments: lines) func aRecordIsALineForPeople(_ index: Int, _ expected: String) {
    let line = Sample.record(Sample.events[index]).bytes
    #expect(AuditLine.render(line[...], color: false) == expected)
  }

  @Test func colourIsAroundTheVerdictAlone() {
    let line = AuditLine.render(Sample.record(Sample.events[1]).bytes[...], color: true)
    #expect(line.hasPrefix("2026-11-24 14:11:08.123  \u{1b}[31mDENY    \u{1b}[0m  worker/orders"))
  }

  @Test func aStrangersValueCannotSteerTheTerminal() {
    var judged = Sample.judged()
    judged.decision.caller?.name = "a\u{1b}[2J\u{9b}\u{202e}\nb"
    let line = AuditLine.render(Sample.record(.decision(judged)).bytes[...], color: false)
    #expect(line.contains(#"a\u{1b}[2J\u{9b}\u{202e}\u{a}b"#))
    let raw = AuditLine.render(Array("\u{1b}]0;x\u{7}".utf8)[...], color: false)
    #expect(raw == #"?  \u{1b}]0;x\u{7}"#)
  }
}
