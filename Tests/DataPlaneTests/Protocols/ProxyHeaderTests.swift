import EventLoop
import Testing

@testable import DataPlane

@Suite struct ProxyHeaderTests {
  static let signature = Array("\r\n\r\n\0\r\nQUIT\n".utf8)

  static func v2(_ head: [UInt8], _ body: [UInt8]) -> [UInt8] {
    var bytes = signature + head
    bytes.appendBig(body.count, 2)
    return bytes + body
  }

  static let tcp4: [UInt8] = [127, 0, 0, 1, 10, 9, 8, 7, 0xa6, 0xea, 0x87, 0x07]
  static let tcp6: [UInt8] =
    Array(repeating: 0, count: 15) + [1] + Array(repeating: 0, count: 15) + [2, 0, 1, 0, 2]
  static let unix: [UInt8] =
    Array("/run/a.sock".utf8) + Array(repeating: 0, count: 97) + Array("\0name".utf8)
    + Array(repeating: 0, count: 103)

  /// The first five were sent by HAProxy 2.6.
  static let accepted: [([UInt8], ProxyHeader.Version, String?)] = [
    (Array("PROXY TCP4 127.0.0.1 127.0.0.1 42686 34567\r\n".utf8), .v1, "127.0.0.1:42686 127.0.0.1:34567"),
    (Array("PROXY TCP6 ::1 ::1 46714 34567\r\n".utf8), .v1, "[::1]:46714 [::1]:34567"),
    (
      bytes(hex: "0d0a0d0a000d0a515549540a211100137f0000017f000001a6ea870703000486089b3e"), .v2,
      "127.0.0.1:42730 127.0.0.1:34567"
    ),
    (
      bytes(
        hex:
          "0d0a0d0a000d0a515549540a212100240000000000000000000000000000000100000000000000000000000000000001b6a88707"
      ), .v2, "[::1]:46760 [::1]:34567"
    ),
    (
      bytes(
        hex: """
          0d0a0d0a000d0a515549540a2111004d7f0000017f000001a7068707030004be2a93470500002000340700000000210007544c53\
          76312e332200096c6f63616c686f7374230016544c535f4145535f3235365f47434d5f534841333834
          """), .v2, "127.0.0.1:42758 127.0.0.1:34567"
    ),
    (Array("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n".utf8), .v1, "0.0.0.0:0 255.255.255.255:65535"),
    (
      Array(
        ("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n")
          .utf8), .v1,
      "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535 [ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"
    ),
    // One peer has one spelling: what is mapped is IPv4.
    (Array("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n".utf8), .v1, "192.0.2.1:1 [::1]:2"),
    (Array("PROXY UNKNOWN\r\n".utf8), .v1, nil),
    (Array("PROXY UNKNOWN ffff::1 whatever 65535 x\r\n".utf8), .v1, nil),
    (v2([0x20, 0x00], []), .v2, nil),
    // The family and all that follows it mean nothing in LOCAL.
    (v2([0x20, 0x7f], [1, 2, 3]), .v2, nil),
    (v2([0x21, 0x00], []), .v2, nil),
    (v2([0x21, 0x11], tcp4), .v2, "127.0.0.1:42730 10.9.8.7:34567"),
    (v2([0x21, 0x21], tcp6), .v2, "[::1]:1 [::2]:2"),
    (v2([0x21, 0x31], unix), .v2, "unix:/run/a.sock unix:@name"),
    (v2([0x21, 0x11], tcp4 + [0x04, 0, 1, 9, 0xf8, 0, 0]), .v2, "127.0.0.1:42730 10.9.8.7:34567"),
  ]

  @Test(arguments: accepted)
  func aHeaderIsReadToItsEnd(_ header: [UInt8], _ version: ProxyHeader.Version, _ claim: String?) throws {
    let (value, length) = try #require(ProxyHeader.parse((header + [0x16, 3])).completed)
    #expect(length == header.count)
    #expect(value.version == version)
    #expect(value.claim.map { "\($0.source) \($0.destination)" } == claim)
    #expect(impatient(header) { ProxyHeader.parse($0) } == [])
    #expect(mutated(header) { ProxyHeader.parse($0) } == 10 * header.count)
  }

  static let refused: [([UInt8], String)] = [
    (Array("G".utf8), "expected a PROXY header"),
    ([0x16], "expected a PROXY header"),
    (Array("PROXX".utf8), "'PROXY' and one space"),
    (Array("proxy TCP4".utf8), "expected a PROXY header"),
    (Array("PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n".utf8), "TCP4, TCP6 or UNKNOWN"),
    (Array("PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n".utf8), "TCP4, TCP6 or UNKNOWN"),
    (Array("PROXY UNKNOWNS\r\n".utf8), "TCP4, TCP6 or UNKNOWN"),
    (Array("PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n".utf8), "two addresses"),
    (Array("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n".utf8), "two addresses"),
    (Array("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n".utf8), "two addresses"),
    (Array("PROXY TCP4 ::1 1.2.3.4 1 2\r\n".utf8), "an address that is none of TCP4"),
    (Array("PROXY TCP6 1.2.3.4 ::1 1 2\r\n".utf8), "an address that is none of TCP6"),
    (Array("PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n".utf8), "an address"),
    (Array("PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n".utf8), "an address"),
    (Array("PROXY TCP6 ::1%1 ::1 1 2\r\n".utf8), "an address"),
    (Array("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n".utf8), "a port"),
    (Array("PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n".utf8), "a port"),
    (Array("PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n".utf8), "a port"),
    (Array("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n".utf8), "0x0a"),
    (Array("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rx".utf8), "CR without LF"),
    (Array("PROXY TCP4\t1.2.3.4".utf8), "0x09"),
    (Array("PROXY UNKNOWN ".utf8) + Array(repeating: 0x61, count: 92), "at most 107"),
    (Array("PROXY UNKNOWN ".utf8) + Array(repeating: 0x61, count: 92) + [13, 10], "at most 107"),
    ([0x0d, 0x0a, 0x0d, 0x0b], "signature"),
    (signature + [0x11], "0x20 or 0x21, found 0x11"),
    (signature + [0x22], "0x20 or 0x21"),
    (signature + [0x21, 0x12], "0x12, which is no stream"),
    (signature + [0x21, 0x10], "no stream"),
    (signature + [0x21, 0x41], "no stream"),
    (signature + [0x21, 0x11, 0, 11], "too short"),
    (signature + [0x21, 0x21, 0, 35], "too short"),
    (signature + [0x21, 0x31, 0, 215], "too short"),
    (signature + [0x21, 0x11, 0x3f, 0xf1], "16385 bytes"),
    (signature + [0x20, 0x00, 0xff, 0xff], "over the 16384"),
    (v2([0x21, 0x11], tcp4 + [4]), "runs over"),
    (v2([0x21, 0x11], tcp4 + [4, 0, 2, 1]), "runs over"),
    (v2([0x21, 0x11], tcp4 + [3, 0, 3, 1, 2, 3]), "checksum of a PROXY v2 header is none"),
    (v2([0x21, 0x11], tcp4 + [3, 0, 4, 1, 2, 3, 4]), "checksum of a PROXY v2 header is wrong"),
    (v2([0x21, 0x11], tcp4 + [0x20, 0, 4, 7, 0, 0, 0]), "SSL extension"),
    (v2([0x21, 0x11], tcp4 + [0x20, 0, 8, 7, 0, 0, 0, 0, 0x21, 0, 1]), "SSL extension"),
    (v2([0x21, 0x11], tcp4 + [5, 0, 129] + Array(repeating: 1, count: 129)), "unique ID"),
  ]

  @Test(arguments: refused)
  func whatIsNoneIsRefused(_ header: [UInt8], _ problem: String) throws {
    #expect(try #require(ProxyHeader.parse(header).problem).contains(problem))
  }

  @Test func theLongestLineHas107Bytes() {
    let line = Array("PROXY UNKNOWN ".utf8) + Array(repeating: 0x61, count: 91) + [13, 10]
    #expect(line.count == 107)
    #expect(ProxyHeader.parse(line).completed?.length == 107)
  }

  @Test func theLongestBinaryHeaderHas16KiB() {
    let rest = ProxyHeader.maxLength - 16 - Self.tcp4.count - 3
    let header = Self.v2(
      [0x21, 0x11], Self.tcp4 + [4, UInt8(rest >> 8), UInt8(rest & 0xff)] + Array(repeating: 0, count: rest))
    #expect(ProxyHeader.parse(header).completed?.length == 16_384)
    #expect(ProxyHeader.parse(Array(header.dropLast())).isIncomplete)
  }

  @Test func everyBitOfAHeaderWithAChecksumCounts() {
    let header = Self.accepted[2].0
    for bit in 16 * 8..<header.count * 8 {
      var changed = header
      changed[bit / 8] ^= 1 << (bit % 8)
      // A checksum that is no longer called one is not looked for.
      if bit / 8 == 28 { continue }
      #expect(ProxyHeader.parse(changed).completed == nil, "bit \(bit)")
    }
  }
}
