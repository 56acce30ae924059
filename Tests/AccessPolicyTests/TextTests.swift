import AccessPolicy
import Testing

/// Texts that people write, and the one form in which they are shown.
struct TextTests {
  static let addresses: [(String, String)] = [
    ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
    ("::", "::"), ("::1", "::1"), ("2001:DB8::1", "2001:db8::1"),
    ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
    ("::ffff:192.0.2.1", "192.0.2.1"), ("::ffff:c000:201", "192.0.2.1"),
    ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
    ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1::", "1::"),
  ]

  @Test(arguments: addresses)
  func addressesHaveOneForm(_ text: String, _ canonical: String) {
    #expect(IPAddress(text)?.text == canonical)
  }

  @Test(arguments: [
    "", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.4 ", "1.2.3.+4", ":", ":::", "1::2::3",
    "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::12345", "::g", "fe80::1%eth0", "[::1]", "1:2:3:4:5:6:7:1.2.3.4",
    "::1.2.3", "1.2.3.4::",
  ])
  func whatIsNoAddressIsRefused(_ text: String) { #expect(IPAddress(text) == nil) }

  static let blocks: [(String, String, Bool)] = [
    ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false), ("0.0.0.0/0", "8.8.8.8", true),
    ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("0.0.0.0/0", "::1", false),
    ("::/0", "::1", true), ("::/0", "1.2.3.4", false), ("2001:db8::/32", "2001:db8:ffff::1", true),
    ("2001:db8::/32", "2001:db9::", false), ("10.9.0.0/16", "::ffff:10.9.1.1", true),
  ]

  @Test(arguments: blocks)
  func blocksHoldTheirAddresses(_ block: String, _ address: String, _ isInside: Bool) throws {
    let address = try #require(IPAddress(address))
    #expect(CIDRBlock(block)?.contains(address) == isInside)
  }

  @Test(arguments: [
    "10.1.2.3/8", "10.0.0.0/33", "10.0.0.0/", "/8", "10.0.0.0/8/8", "10.0.0.0/08", "::1/64", "x",
  ])
  func whatIsNoBlockIsRefused(_ text: String) { #expect(CIDRBlock(text) == nil) }

  static let instants: [(String, Int64, String)] = [
    ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
    ("2027-01-31T00:00:00Z", 1_801_353_600, "2027-01-31T00:00:00Z"),
    ("2000-02-29T23:59:59+01:00", 951_865_199, "2000-02-29T22:59:59Z"),
    ("1969-12-31t23:59:59z", -1, "1969-12-31T23:59:59Z"),
    ("2016-12-31T23:59:60Z", 1_483_228_800, "2017-01-01T00:00:00Z"),
  ]

  @Test(arguments: instants)
  func instantsAreRead(_ text: String, _ seconds: Int64, _ canonical: String) {
    let instant = Timestamp(rfc3339: text)
    #expect(instant?.seconds == seconds)
    #expect(instant?.rfc3339 == canonical)
  }

  @Test(arguments: [
    "", "2027-01-31", "2027-01-31T00:00:00", "2027-13-01T00:00:00Z", "2027-02-29T00:00:00Z",
    "2027-01-31T24:00:00Z", "2027-01-31T00:60:00Z", "2027-01-31T00:00:00.Z", "2027-01-31T00:00:00+25:00",
    "2027-01-31T00:00:00Zx", "27-01-31T00:00:00Z", "2027-01-31 00:00:00Z",
  ])
  func whatIsNoInstantIsRefused(_ text: String) { #expect(Timestamp(rfc3339: text) == nil) }

  @Test func fractionsAreKeptToTheNanosecond() {
    let instant = Timestamp(rfc3339: "1970-01-01T00:00:00.1234567899Z")
    #expect(instant?.nanoseconds == 123_456_789)
    #expect(instant?.rfc3339 == "1970-01-01T00:00:00.123456789Z")
    #expect(Timestamp(nanoseconds: 500_000_000).rfc3339 == "1970-01-01T00:00:00.500Z")
  }

  @Test(arguments: [("10s", 10), ("5m", 300), ("24h", 86_400), ("90d", 7_776_000), ("0", 0), ("0s", 0)])
  func durationsAreRead(_ text: String, _ seconds: Int64) {
    #expect(Duration(configured: text) == .seconds(seconds))
  }

  @Test(arguments: ["", "10", "s", "-1s", "1.5h", "1w", "10 s", "9999999999999999999s", "99999999d"])
  func whatIsNoDurationIsRefused(_ text: String) { #expect(Duration(configured: text) == nil) }

  @Test(arguments: Field.allCases)
  func everyFieldIsFoundByItsName(_ field: Field) { #expect(Field(name: field.name) == field) }

  static let wrong: [(Field, [String])] = [
    (.keyBits, ["many"]), (.resumed, ["yes"]), (.notAfter, ["tomorrow"]), (.sourceIP, ["localhost"]),
    (.serial, ["1", "2"]), (.validFor, ["10d"]), (.time, ["08:00"]), (.sanIP, ["x"]),
  ]

  @Test(arguments: wrong)
  func valuesThatDoNotFitAreRefused(_ field: Field, _ texts: [String]) {
    #expect(throws: FactSyntaxError.self) { try FactValue.parse(texts, for: field) }
  }

  @Test func factsKeepWhatTheyAreGiven() {
    var facts = Facts()
    for field in Field.allCases.reversed() { facts[field] = .text(field.name) }
    for field in Field.allCases { #expect(facts[field] == .text(field.name)) }
    facts[.alpn] = nil
    #expect(facts[.alpn] == nil)
    #expect(facts.fields.count == Field.allCases.count - 1)
  }
}
