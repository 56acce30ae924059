import AccessPolicy
import Testing

@testable import DataPlane

@Suite struct MySQLHandshakeTests {
  static let greeting = MySQLGreeting(
    version: "8.0.36", connectionID: 77, nonce: [0, 0x80, 0xff] + Array(1...17))

  @Test func theGreetingIsReadBackAndItsNonceHoldsNoZero() throws {
    let packet = Self.greeting.packet
    #expect(MySQLSample.upstream(packet) == Self.greeting)
    #expect(Self.greeting.nonce.count == 20)
    #expect(Self.greeting.nonce.allSatisfy { $0 > 0 && $0 < 0x80 })
    #expect(packet.suffix(22) == Array("mysql_native_password\0".utf8))
    #expect(!Self.greeting.capabilities.contains(.compress) && Self.greeting.capabilities.contains(.tls))
    #expect(impatient(packet) { MySQLGreeting.parse($0) } == [])
  }

  static let upstreams: [([UInt8], String, Bool)] = [
    (MySQLSample.mariadbServer, "5.5.5-10.11.19-MariaDB-0+deb12u1", true),
    (MySQLSample.greeting("8.4.2"), "8.4.2", false),
    (MySQLSample.greeting("5.7.44-log"), "5.7.44-log", false),
    (MySQLSample.greeting("11.8.2-MariaDB"), "11.8.2-MariaDB", true),
    (MySQLSample.greeting("5.5.7", nonce: 0), "5.5.7", false),
  ]

  @Test(arguments: upstreams)
  func anUpstreamsGreetingIsRead(_ packet: [UInt8], _ version: String, _ isMariaDB: Bool) throws {
    let greeting = try #require(MySQLSample.upstream(packet))
    #expect(greeting.version == version)
    #expect(greeting.isMariaDB == isMariaDB)
    #expect(greeting.nonce.count == 20)
    #expect(impatient(packet) { MySQLGreeting.parse($0) } == [])
    #expect(mutated(packet) { MySQLGreeting.parse($0) } == 10 * packet.count)
  }

  @Test func anUpstreamMayRefuseAtOnce() {
    for (isFirst, state) in [(true, "HY000"), (false, "08004")] {
      let packet = MySQLError(.limit, "Too many").packet(sequence: 0, isFirst: isFirst)
      let expected = MySQLError(code: 1040, state: state, message: "Too many")
      #expect(MySQLGreeting.parse(packet).completed?.value == .error(expected))
    }
  }

  static let noGreetings: [([UInt8], String)] = [
    (MySQLPacket.frame([], sequence: 0), "another protocol"),
    (MySQLPacket.frame([9], sequence: 0), "another protocol"),
    (MySQLPacket.frame([0xff, 1], sequence: 0), "too short"),
    (MySQLPacket.frame([10, 0x35, 0, 1], sequence: 0), "too short"),
    (Array(MySQLSample.greeting("8").prefix(40)).enumerated().map { $0 == 0 ? 36 : $1 }, "too short"),
    (MySQLSample.greeting("8", sequence: 1), "the sequence 1, and 0"),
    (MySQLSample.greeting("8", nonce: 255), "too short"),
    ([0xff, 0xff, 0xff], "16777215 bytes"),
    (Array("HTTP".utf8), "over the 81920"),
  ]

  @Test(arguments: noGreetings)
  func whatIsNoGreetingIsRefused(_ packet: [UInt8], _ problem: String) throws {
    let found = try #require(MySQLGreeting.parse(packet).problem)
    #expect(found.contains(problem))
  }

  static func hello(_ capabilities: MySQLCapabilities, length: Int, sequence: UInt8 = 1) -> [UInt8] {
    var payload: [UInt8] = []
    payload.appendLittle(capabilities.rawValue, min(4, length))
    return MySQLPacket.frame(payload + Array(repeating: 0, count: length - payload.count), sequence: sequence)
  }

  @Test func aRequestForTLS() {
    for length in [32, 4] {
      let packet = Self.hello(.offered, length: length)
      #expect(MySQLClientHello.parse((packet + [0x16])).completed?.value == .tlsRequest)
      #expect(MySQLClientHello.parse((packet + [0x16])).completed?.length == packet.count)
      #expect(impatient(packet) { MySQLClientHello.parse($0) } == [])
    }
    let plain = MySQLSample.response(removing: .tls, sequence: 1)
    #expect(MySQLClientHello.parse(plain).completed?.value == .withoutTLS)
  }

  static let noHellos: [([UInt8], String)] = [
    (MySQLPacket.frame([], sequence: 1), "too short"),
    (MySQLPacket.frame([1], sequence: 1), "too short"),
    (hello([.tls, .protocol41], length: 32), "no authentication plugins"),
    (hello(.offered.subtracting(.protocol41), length: 32), "before MySQL 4.1"),
    (hello(.offered, length: 2).prefix(4) + [0x85, 0xa4], "before MySQL 4.1"),
    (hello(.offered, length: 31), "31 bytes"),
    (hello(.offered, length: 33), "33 bytes"),
    (hello(.offered, length: 32, sequence: 0), "the sequence 0, and 1"),
    (hello(.offered, length: 32, sequence: 2), "the sequence 2, and 1"),
    // With the credentials in it, and so in plaintext: no request, whatever its flag says.
    (MySQLSample.response(sequence: 1), "request for TLS has"),
    ([0, 0, 0xff], "over the 81920"),
  ]

  @Test(arguments: noHellos)
  func whatIsNoneIsRefused(_ packet: [UInt8], _ problem: String) throws {
    let found = try #require(MySQLClientHello.parse(packet).problem)
    #expect(found.contains(problem))
  }
}
