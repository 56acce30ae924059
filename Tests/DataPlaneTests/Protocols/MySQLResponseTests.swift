import AccessPolicy
import Testing

@testable import DataPlane

@Suite struct MySQLResponseTests {
  static let responses: [([UInt8], String, String?)] = [
    (MySQLSample.mariadbClient, "n1", "shop"),
    (MySQLSample.connector, "e1", "shop"),
    (MySQLSample.response(), "orders_ro", "orders"),
    (MySQLSample.response(proof: []), "orders_ro", "orders"),
    (MySQLSample.response(proof: Array(repeating: 7, count: 300)), "orders_ro", "orders"),
    (MySQLSample.response(removing: .lengthEncodedAuthentication), "orders_ro", "orders"),
    (MySQLSample.response(database: nil), "orders_ro", nil),
    (MySQLSample.response(database: []), "orders_ro", nil),
    (MySQLSample.response(user: []), "", "orders"),
    (MySQLSample.response(attributes: nil), "orders_ro", "orders"),
    (MySQLSample.response(attributes: []), "orders_ro", "orders"),
    (MySQLSample.response(plugin: "mysql_native_password", attributes: nil), "orders_ro", "orders"),
    (MySQLSample.response(plugin: nil, attributes: nil), "orders_ro", "orders"),
    (MySQLSample.response(user: Array("é".utf8)), "é", "orders"),
    (MySQLSample.response(user: Array("é".utf8), characterSet: 33), "é", "orders"),
    (MySQLSample.response(characterSet: 255), "orders_ro", "orders"),
    (MySQLSample.response(characterSet: 8), "orders_ro", "orders"),
    (MySQLSample.response(user: Array("'".utf8)), "'", "orders"),
    (MySQLSample.response(user: Array("'a".utf8)), "'a", "orders"),
  ]

  @Test(arguments: responses)
  func aResponseGivesFacts(_ packet: [UInt8], _ user: String, _ database: String?) throws {
    let (value, length) = try #require(MySQLHandshakeResponse.parse((packet + [9])).completed)
    #expect(length == packet.count)
    #expect(value.sequence == 2)
    #expect(value.names.facts[.mysqlUser] == .text(user))
    #expect(value.names.facts[.mysqlDatabase] == database.map { .text($0) })
    #expect(impatient(packet) { MySQLHandshakeResponse.parse($0) } == [])
    #expect(mutated(packet) { MySQLHandshakeResponse.parse($0) } == 10 * packet.count)
  }

  @Test func everyPayloadThatEndsEarlyIsRefusedOrWhole() {
    // A payload cut short is a packet of its own. Only where what is optional begins may one be whole.
    let payload = Array(MySQLSample.response().dropFirst(4))
    let whole = payload.indices.filter {
      MySQLSample.read(MySQLPacket.frame(payload[..<$0], sequence: 2)) != nil
    }
    let needed = 32 + 10 + 21 + 7
    let plugin = 22
    #expect(whole == Array(needed...needed + plugin))
  }

  static let refused: [([UInt8], String)] = [
    (MySQLSample.response(removing: .protocol41), "before MySQL 4.1"),
    (MySQLSample.response(removing: .pluginAuthentication), "no authentication plugins"),
    (MySQLSample.response(removing: .secureConnection), "no authentication plugins"),
    (MySQLSample.response(sequence: 1), "the sequence 1, and 2"),
    (MySQLSample.response(user: [0xe9]), "user name is no UTF-8"),
    (MySQLSample.response(database: [0xff]), "database name is no UTF-8"),
    (MySQLSample.response(user: Array("é".utf8), characterSet: 8), "character set 8"),
    (MySQLSample.response(user: Array("é".utf8), characterSet: 28), "character set 28"),
    (MySQLSample.response(user: Array("é".utf8), characterSet: 255), "character set 255"),
    (MySQLSample.response(user: Array("a[b".utf8), characterSet: 10), "character set 10"),
    (MySQLSample.response(user: Array("a😀".utf8)), "no name has"),
    (MySQLSample.response(user: Array("a\nb".utf8)), "control character"),
    (MySQLSample.response(database: Array("a\u{9f}".utf8)), "control character"),
    (MySQLSample.response(user: Array("'root'".utf8)), "in quotes"),
    (MySQLSample.response(user: Array("''".utf8)), "in quotes"),
    (MySQLSample.response(user: Array(repeating: 0x61, count: 81)), "over 80 characters"),
    (MySQLSample.response(database: Array(repeating: 0x61, count: 65)), "over 64 characters"),
    (MySQLSample.response(database: Array("#mysql50#orders".utf8)), "MySQL 5.0"),
    (MySQLSample.response(attributes: [5, 1]), "connect attributes are broken"),
    (
      MySQLSample.response(attributes: [0xfe] + Array(repeating: 0xff, count: 8)),
      "connect attributes are broken"
    ),
    (MySQLSample.response(attributes: [0xfb]), "connect attributes are broken"),
    (MySQLSample.response(attributes: [1, 0x61]), "connect attributes are broken"),
    (MySQLSample.response(attributes: Array(repeating: 0, count: 65_538)), "do not fit"),
  ]

  @Test(arguments: refused)
  func whatTheServerWouldReadOtherwiseIsRefused(_ packet: [UInt8], _ problem: String) throws {
    let found = try #require(MySQLHandshakeResponse.parse(packet).problem)
    #expect(found.contains(problem))
  }

  @Test func theUpstreamGetsWhatWasJudged() throws {
    let response = try #require(MySQLSample.read(MySQLSample.mariadbClient))
    let greeting = try #require(MySQLSample.upstream(MySQLSample.mariadbServer))
    let handshake = try MySQLUpstreamHandshake(
      response, upstream: greeting, usesTLS: false, isMariaDB: greeting.isMariaDB)
    let payload = Array(handshake.packet.dropFirst(4))
    #expect(handshake.packet[3] == 1 && handshake.sequence == 1)
    #expect(Array(payload[32..<60]) == Array("n1\0\0shop\0countersign_switch\0".utf8))
    #expect(payload.suffix(128) == MySQLSample.mariadbClient.suffix(128))
    // Neither what the upstream lacks nor what was not offered, whatever the client says.
    #expect(handshake.capabilities.isSubset(of: greeting.capabilities.intersection(response.capabilities)))
    #expect(response.capabilities.contains(.sessionTrack) && !handshake.capabilities.contains(.sessionTrack))
    #expect(!handshake.capabilities.contains(.tls))
    #expect(handshake.capabilities.contains(.localFiles) == response.capabilities.contains(.localFiles))
  }

  @Test func theUpstreamIsAskedForTLSFirst() throws {
    let response = try #require(MySQLSample.read(MySQLSample.response(database: nil)))
    let greeting = try #require(MySQLSample.upstream(MySQLSample.greeting("8.4.2")))
    let handshake = try MySQLUpstreamHandshake(response, upstream: greeting, usesTLS: true, isMariaDB: false)
    #expect(MySQLClientHello.parse(handshake.tlsRequest).completed?.value == .tlsRequest)
    let again = try #require(MySQLSample.read(handshake.packet))
    #expect(again.names == response.names && again.attributes == response.attributes)
    #expect(handshake.sequence == 2 && !handshake.capabilities.contains(.connectWithDatabase))
  }

  static let refusals: [([UInt8], [UInt8], Bool, MySQLUpstreamHandshake.Refusal)] = [
    (
      MySQLSample.response(), MySQLSample.greeting("5.1", .offered.subtracting(.pluginAuthentication)), false,
      .upstream("the upstream knows no authentication plugins: it has to be MySQL 5.5.7 or later")
    ),
    (
      MySQLSample.response(), MySQLSample.greeting("8", .offered.subtracting(.tls)), true,
      .noTLS
    ),
    (
      MySQLSample.response(), MySQLSample.greeting("8", .offered.subtracting(.multiResults)), false,
      .upstream("the upstream lacks capabilities that the client was offered")
    ),
    (
      MySQLSample.response(user: Array(repeating: 0x61, count: 33)), MySQLSample.greeting("8.0.36"), false,
      .name("the user name is over the 32 characters that the upstream reads of it")
    ),
  ]

  @Test(arguments: refusals)
  func anUpstreamMayNotFit(
    _ client: [UInt8], _ server: [UInt8], _ usesTLS: Bool, _ refusal: MySQLUpstreamHandshake.Refusal
  ) throws {
    let response = try #require(MySQLSample.read(client))
    let greeting = try #require(MySQLSample.upstream(server))
    #expect(throws: refusal) {
      try MySQLUpstreamHandshake(response, upstream: greeting, usesTLS: usesTLS, isMariaDB: false)
    }
  }

  @Test func aLongNameIsAllRightWithMariaDB() throws {
    let response = try #require(
      MySQLSample.read(MySQLSample.response(user: Array(repeating: 0x61, count: 80))))
    let greeting = try #require(MySQLSample.upstream(MySQLSample.mariadbServer))
    #expect(throws: Never.self) {
      try MySQLUpstreamHandshake(response, upstream: greeting, usesTLS: false, isMariaDB: greeting.isMariaDB)
    }
  }
}
