import AccessPolicy
import Testing

@testable import TLSEngine

/// Hellos that no honest client sends, or only some do: the name in them is found, or they end the handshake.
@Suite struct HelloTests {
  private func session(_ context: ServerContext) throws -> (session: TLSSession, buffers: RecordBuffers) {
    let buffers = RecordBuffers(inboundCapacity: 65_536, outboundCapacity: 65_536)
    return (try TLSSession(context, buffers: buffers), buffers)
  }

  private func context() throws -> ServerContext {
    try ServerContext(HostTests.options { $0.refusesUnknownNames = true })
  }

  /// RFC 7685, in front of the name and behind it, past every length that has a byte of its own.
  @Test(arguments: [0, 1, 200, 250, 255, 256, 511, 512, 4000, 20_000])
  func paddingHidesNoName(_ length: Int) throws {
    for isFirst in [true, false] {
      for (name, isKnown) in [("blog.example", true), ("elsewhere.example", false)] {
        var hello = RawHello(names: [name])
        let padding = RawHello.extension(21, [UInt8](repeating: 0, count: length))
        if isFirst { hello.first = padding } else { hello.last = padding }
        let (session, buffers) = try session(context())
        buffers.load(hello.records)
        let step = session.handshake(now: TestPKI.now)
        #expect(session.facts[.serverName] == .text(name))
        #expect(step.failure?.reason == (isKnown ? nil : .serverNameUnknown))
      }
    }
  }

  @Test(arguments: [["blog.example", "db.example"], ["blog.example", "blog.example"], [""]])
  func aListOfOtherThanOneNameIsRefused(_ names: [String]) throws {
    let (session, buffers) = try session(context())
    buffers.load(RawHello(names: names).records)
    #expect(session.handshake(now: TestPKI.now).failure?.code == "SSL_R_BAD_EXTENSION")
    #expect(Array(buffers.unsent.suffix(2)) == [2, 47])
  }

  @Test func aSecondExtensionOfTheKindIsRefused() throws {
    var hello = RawHello(names: ["blog.example"])
    hello.last = RawHello(names: ["db.example"]).serverName
    let (session, buffers) = try session(context())
    buffers.load(hello.records)
    #expect(session.handshake(now: TestPKI.now).failure?.reason == .tlsProtocol)
  }

  /// The host of the first hello stays the host.
  @Test(arguments: ["www.shop.example", "elsewhere.example", "blog.example", nil] as [String?])
  func aRetriedHelloAsksForTheSameName(_ second: String?) throws {
    let (session, buffers) = try session(context())
    var hello = RawHello(names: ["blog.example"], hasKeyShare: false)
    buffers.load(hello.records)
    guard case .incomplete = session.handshake(now: TestPKI.now) else {
      Issue.record("no HelloRetryRequest")
      return
    }
    // The random of a HelloRetryRequest (RFC 8446 §4.1.3).
    #expect(Array(buffers.takeOutbound().dropFirst(11).prefix(4)) == [0xcf, 0x21, 0xad, 0x74])
    hello = RawHello(names: second.map { [$0] } ?? [])
    buffers.load(hello.records)
    let step = session.handshake(now: TestPKI.now)
    #expect(step.failure?.code == (second == "blog.example" ? nil : "SSL_R_BAD_EXTENSION"))
    #expect(session.facts[.serverName] == .text("blog.example"))
    if second != "blog.example" { #expect(Array(buffers.unsent.suffix(2)) == [2, 47]) }
  }
}

/// A ClientHello of TLS 1.3, written by hand (RFC 8446 §4.1.2).
private struct RawHello {
  var names: [String]
  /// Without one the server asks for another hello.
  var hasKeyShare = true
  var first: [UInt8] = []
  var last: [UInt8] = []

  static func `extension`(_ type: UInt16, _ body: [UInt8]) -> [UInt8] { sized(type) + vector(body) }

  var serverName: [UInt8] {
    if names.isEmpty { return [] }
    return Self.extension(0, Self.vector(names.flatMap { [0] + Self.vector(Array($0.utf8)) }))
  }

  /// In records of 16 KiB at most.
  var records: [UInt8] {
    // x25519, with a share that is a point as good as any.
    let share = hasKeyShare ? [0, 0x1d] + Self.vector([UInt8](repeating: 9, count: 32)) : []
    let extensions =
      first + serverName + Self.extension(43, [2, 3, 4]) + Self.extension(10, Self.vector([0, 0x1d]))
      + Self.extension(13, Self.vector([4, 3])) + Self.extension(51, Self.vector(share)) + last
    let body =
      [3, 3] + [UInt8](repeating: 7, count: 32) + [32] + [UInt8](repeating: 5, count: 32)
      + Self.vector([0x13, 0x01]) + [1, 0] + Self.vector(extensions)
    let message =
      [1, UInt8(body.count >> 16), UInt8(body.count >> 8 & 0xff), UInt8(body.count & 0xff)] + body
    var records: [UInt8] = []
    var rest = message[...]
    while !rest.isEmpty {
      records += [22, 3, 1] + Self.vector(Array(rest.prefix(16_384)))
      rest = rest.dropFirst(16_384)
    }
    return records
  }

  private static func sized(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }
  private static func vector(_ body: [UInt8]) -> [UInt8] { sized(UInt16(body.count)) + body }
}
