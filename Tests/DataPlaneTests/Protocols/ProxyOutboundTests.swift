import EventLoop
import Testing

@testable import DataPlane

@Suite struct ProxyOutboundTests {
  static let v4 = NetworkAddress.v4(0xc000_0201, port: 56_324)
  static let v4Other = NetworkAddress.v4(0xc633_6407, port: 443)
  static let v6 = NetworkAddress.v6(0x2001_0db8_0000_0000_0000_0000_0000_0001, port: 443, scope: 3)
  static let unix = NetworkAddress.unix("")

  static let lines: [(NetworkAddress, NetworkAddress, String)] = [
    (v4, v4Other, "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"),
    (v4, v6, "PROXY TCP6 0:0:0:0:0:ffff:c000:201 2001:db8:0:0:0:0:0:1 56324 443\r\n"),
    (v6, v6, "PROXY TCP6 2001:db8:0:0:0:0:0:1 2001:db8:0:0:0:0:0:1 443 443\r\n"),
    (unix, v4, "PROXY UNKNOWN\r\n"),
    (v4, unix, "PROXY UNKNOWN\r\n"),
  ]

  @Test(arguments: lines)
  func aLineForPeople(_ source: NetworkAddress, _ destination: NetworkAddress, _ line: String) {
    #expect(ProxyHeader.v1(source: source, destination: destination) == Array(line.utf8))
  }

  @Test(arguments: lines)
  func bothVersionsAreReadBack(_ source: NetworkAddress, _ destination: NetworkAddress, _: String) throws {
    let expected = source.port == nil || destination.port == nil ? nil : [source, destination].map { $0.ip }
    for bytes in [
      ProxyHeader.v1(source: source, destination: destination),
      try #require(ProxyHeader.v2(source: source, destination: destination)),
    ] {
      let (header, length) = try #require(ProxyHeader.parse(bytes).completed)
      #expect(length == bytes.count)
      #expect(header.claim.map { [$0.source.ip, $0.destination.ip] } == expected)
      if let claim = header.claim {
        #expect(claim.source.port == source.port && claim.destination.port == destination.port)
      }
    }
  }

  @Test func aUnixSocketHasNoAddressesToTell() {
    #expect(ProxyHeader.v2(source: Self.unix, destination: Self.v4)?[12...] == [0x20, 0x00, 0, 0])
    #expect(
      ProxyHeader.v2(source: Self.unix, destination: Self.v4, caller: "a")?[12...]
        == [0x20, 0x00, 0, 4, 0xe0, 0, 1, 0x61])
    #expect(ProxyHeader.local[12...] == [0x20, 0x00, 0, 0])
  }

  static func tls(name: String?, certificate: Int) -> ProxyTLSDescription {
    ProxyTLSDescription(
      version: "TLSv1.3", cipher: "X", commonName: name,
      certificate: Array(repeating: 0x30, count: certificate))
  }

  @Test func theClientsTLSIsDescribed() throws {
    let header = try #require(
      ProxyHeader.v2(
        source: Self.v4, destination: Self.v4Other, tls: Self.tls(name: "orders", certificate: 2),
        caller: "worker/a"))
    let expected =
      Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [
        0x21, 0x11, 0, 60, 192, 0, 2, 1, 198, 51, 100, 7, 0xdc, 0x04, 1, 0xbb,
      ]
      + [0x20, 0, 34, 7, 0, 0, 0, 0] + [0x21, 0, 7] + Array("TLSv1.3".utf8) + [0x23, 0, 1] + Array("X".utf8)
      + [0x22, 0, 6] + Array("orders".utf8) + [0x28, 0, 2, 0x30, 0x30] + [0xe0, 0, 8] + Array("worker/a".utf8)
    var whole = expected
    whole[15] = UInt8(expected.count - 16)
    whole[30] = UInt8(expected.count - 28 - 3 - 11)
    #expect(header == whole)
    #expect(ProxyHeader.parse(header).completed?.length == header.count)
  }

  @Test(arguments: [16_000, 17_000, 65_535, 70_000])
  func aCertificateThatIsTooLongIsLeftOut(_ size: Int) throws {
    let header = try #require(
      ProxyHeader.v2(
        source: Self.v4, destination: Self.v6, tls: Self.tls(name: "orders", certificate: size), caller: "a"))
    #expect(header.count <= ProxyHeader.maxLength)
    #expect((header.count > 16_000) == (size == 16_000))
    #expect(ProxyHeader.parse(header).completed?.length == header.count)
  }

  @Test(arguments: [16_384, 65_536, 100_000])
  func aNameIsNeverCut(_ size: Int) {
    let name = String(repeating: "a", count: size)
    #expect(ProxyHeader.v2(source: Self.v4, destination: Self.v6, caller: name) == nil)
    #expect(
      ProxyHeader.v2(source: Self.v4, destination: Self.v6, tls: Self.tls(name: name, certificate: 1)) == nil)
  }
}
