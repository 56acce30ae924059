import AccessPolicy
import Foundation
import Testing

@testable import AuditLog

@Suite struct TextTests {
  static let escapes: [(String, String)] = [
    ("plain text", "plain text"),
    ("\"", #"\""#), ("\\", #"\\"#), ("/", "/"),
    ("\u{8}\t\n\u{c}\r", #"\b\t\n\f\r"#),
    ("\u{0}", #"\u0000"#), ("\u{1b}[31m", #"\u001b[31m"#), ("\u{1f}", #"\u001f"#),
    ("\u{7f}", #"\u007f"#), ("\u{80}", #"\u0080"#), ("\u{9b}", #"\u009b"#), ("\u{9f}", #"\u009f"#),
    ("\u{a0}", "\u{a0}"), ("\u{2028}", #"\u2028"#), ("\u{2029}", #"\u2029"#),
    ("\u{202e}gpj", #"\u202egpj"#), ("\u{2066}", #"\u2066"#), ("\u{61c}", #"\u061c"#),
    ("é€…😀", "é€…😀"), ("\u{feff}", "\u{feff}"),
  ]

  @Test(arguments: escapes) func everyControlIsEscaped(_ text: String, _ expected: String) {
    var bytes: [UInt8] = []
    JSONText.append(text, to: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == expected)
  }

  /// All scalars: the value comes back from another parser, and no byte of a control is in the line.
  @Test func everyScalarComesBack() throws {
    for block in stride(from: UInt32(0), to: 0x11_0000, by: 0x400) {
      let text = String(String.UnicodeScalarView((block..<block + 0x400).compactMap(Unicode.Scalar.init)))
      var bytes: [UInt8] = [UInt8(ascii: "\"")]
      JSONText.append(text, to: &bytes)
      bytes.append(UInt8(ascii: "\""))
      let parsed = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
      #expect((parsed as? String)?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
      #expect(
        try JSONParser.parse(bytes[...]).text?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
      let written = String(decoding: bytes, as: UTF8.self).unicodeScalars
      #expect(!written.contains { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) })
    }
  }

  @Test(
    arguments: [
      ([0x61, 0xc3, 0xa9], "aé"),
      ([0x61, 0xff, 0x62], #"a\xffb"#),
      ([0xc3], #"\xc3"#),
      ([0xc3, 0x28], #"\xc3("#),
      ([0xe2, 0x82, 0xac, 0x80], #"€\x80"#),
      ([0xed, 0xa0, 0x80], #"\xed\xa0\x80"#),  // a surrogate is no scalar (RFC 3629 §3)
      ([0xc0, 0x80], #"\xc0\x80"#),  // nor is an overlong NUL
      ([0xf0, 0x9f, 0x98, 0x80, 0xf0], "😀\\xf0"),
    ] as [([UInt8], String)])
  func invalidUTF8IsWrittenInHex(_ bytes: [UInt8], _ expected: String) {
    #expect(AuditText.text(of: bytes) == expected)
  }

  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00Z"),
      (1_000_000, "1970-01-01T00:00:00.001Z"),
      (1_000, "1970-01-01T00:00:00.000001Z"),
      (-1, "1969-12-31T23:59:59.999999999Z"),
      (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
      (4_107_542_400_000_000_000, "2100-03-01T00:00:00Z"),
      (Int64.max, "2262-04-11T23:47:16.854775807Z"),
      (Int64.min, "1677-09-21T00:12:43.145224192Z"),
    ] as [(Int64, String)])
  func instantsAreRFC3339(_ nanoseconds: Int64, _ expected: String) {
    var bytes: [UInt8] = []
    InstantText.append(Timestamp(nanoseconds: nanoseconds), to: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == expected)
  }

  @Test func aValueOfFourKiBStaysWhole() throws {
    var facts = Sample.facts
    facts[.serverName] = .text(String(repeating: "a", count: 4096))
    let json = try Sample.json(.decision(Sample.judged(facts: facts)))
    #expect((json[path: "tls.client.server_name"] as? String)?.utf8.count == 4096)
    #expect(json[path: "countersign.cut"] == nil)
  }

  /// A few bytes too many, with scalars of every length at the cut.
  @Test(arguments: ["a", "é", "€", "😀"]) func aLongerValueIsCutOnAScalar(_ scalar: String) throws {
    let whole = "x" + String(repeating: scalar, count: 4096 / scalar.utf8.count + 1)
    var facts = Sample.facts
    facts[.subjectOU] = .texts(["short", whole])
    let json = try Sample.json(.decision(Sample.judged(facts: facts)))
    let units = try #require(json[path: "tls.client.x509.subject.organizational_unit"] as? [String])
    #expect(units[1].utf8.count <= 4096 && units[1].utf8.count > 4096 - 7)
    #expect(units[1].hasSuffix("…") && whole.hasPrefix(units[1].dropLast()))
    let cut = try #require((json[path: "countersign.cut"] as? [[String: Any]])?.first)
    #expect(cut["field"] as? String == "tls.client.x509.subject.organizational_unit")
    #expect(cut["index"] as? Int == 1)
    #expect(cut["bytes"] as? Int == whole.utf8.count)
    #expect(cut["sha256"] as? String == Hex.text(Sample.digest(Array(whole.utf8))))
  }
}
