import Testing

@testable import DataPlane

@Suite struct MySQLAuthenticationTests {
  static let nonce = Array(1...20) as [UInt8]

  static let packets: [([UInt8], MySQLServerAuthentication, Bool)] = [
    ([0, 0, 0, 2, 0, 0, 0], .ok, false),
    (
      [0xff, 0x15, 4] + Array("#28000Access denied".utf8),
      .error(MySQLError(code: 1045, state: "28000", message: "Access denied")), false
    ),
    (
      [0xfe] + Array("mysql_native_password\0".utf8) + nonce + [0],
      .switchPlugin(name: "mysql_native_password"),
      false
    ),
    ([0xfe] + Array("client_ed25519\0".utf8) + nonce, .switchPlugin(name: "client_ed25519"), false),
    (
      [0xfe] + Array("caching_sha2_password\0".utf8) + nonce, .switchPlugin(name: "caching_sha2_password"),
      false
    ),
    ([0xfe] + Array("mysql_clear_password\0".utf8), .switchPlugin(name: "mysql_clear_password"), true),
    ([0xfe] + Array("sha256_password\0".utf8) + nonce, .switchPlugin(name: "sha256_password"), true),
    ([0xfe] + Array("dialog\0".utf8), .switchPlugin(name: "dialog"), true),
    ([0xfe] + Array("nobody_knows\0".utf8), .switchPlugin(name: "nobody_knows"), true),
    ([1, 3], .fastAuthenticationSucceeded, false),
    ([1, 4], .fullAuthentication, true),
    // Clients take the 1 off where it is, and do without it where it is not.
    ([3], .fastAuthenticationSucceeded, false),
    ([4], .fullAuthentication, true),
    ([1, 4, 0], .pluginData, true),
    ([1, 5], .pluginData, true),
    ([1] + Array("-----BEGIN PUBLIC KEY-----".utf8), .pluginData, true),
    ([2] + Array("Password: ".utf8), .pluginData, true),
  ]

  @Test(arguments: packets)
  func whatTheServerSaysIsToldApart(
    _ payload: [UInt8], _ expected: MySQLServerAuthentication, _ sendsPassword: Bool
  ) throws {
    let numbering = MySQLNumbering(lastOfClient: 2, lastOfUpstream: 1)
    let packet = MySQLPacket.frame(payload, sequence: 2)
    let (value, length) = try #require(MySQLServerAuthentication.parse(packet, numbering).completed)
    #expect(value == expected)
    #expect(value.asksForPassword(of: nil) == sendsPassword)
    #expect(value.asksForPassword(of: "caching_sha2_password") == sendsPassword)
    #expect(length == packet.count)
    #expect(impatient(packet) { MySQLServerAuthentication.parse($0, numbering) } == [])
    #expect(mutated(packet) { MySQLServerAuthentication.parse($0, numbering) } == 10 * packet.count)
  }

  /// Some plugins have more than one question, and never one for the password.
  @Test func aConversationGoesOnWherePasswordsAreNotAskedFor() {
    let asks = ["client_ed25519", "parsec", "auth_gssapi_client", "dialog", "mysql_clear_password"].map {
      MySQLServerAuthentication.pluginData.asksForPassword(of: $0)
    }
    #expect(asks == [false, false, false, true, true])
  }

  @Test(
    arguments: [
      ([0xfe], "before 4.1"), ([0xfe, 0], "before 4.1"), ([0xfe, 0x61], "before 4.1"), ([], "empty"),
      ([0xff, 1], "too short"),
    ] as [([UInt8], String)])
  func whatItMustNotSayIsRefused(_ payload: [UInt8], _ problem: String) throws {
    let numbering = MySQLNumbering(lastOfClient: 2, lastOfUpstream: 1)
    let packet = MySQLPacket.frame(payload, sequence: 2)
    #expect(try #require(MySQLServerAuthentication.parse(packet, numbering).problem).contains(problem))
  }

  @Test func eachSideCountsForItself() {
    var numbering = MySQLNumbering(lastOfClient: 2, lastOfUpstream: 1)
    #expect(numbering.client == 3 && numbering.upstream == 2)
    let outOfTurn = MySQLPacket.frame([1, 3], sequence: 3)
    #expect(MySQLServerAuthentication.parse(outOfTurn, numbering).problem != nil)
    for _ in 0..<253 { numbering.advance() }
    #expect(numbering.client == 0 && numbering.upstream == 255)
    #expect(
      MySQLNumbering(lastOfClient: 255, lastOfUpstream: 255)
        == MySQLNumbering(lastOfClient: 255, lastOfUpstream: 255))
  }

  static let errors: [(MySQLError.Kind, [UInt8])] = [
    (.denied, [0x15, 0x04] + Array("#28000".utf8)), (.noTLS, [0x57, 0x0c] + Array("#HY000".utf8)),
    (.limit, [0x10, 0x04] + Array("#08004".utf8)), (.draining, [0x1d, 0x04] + Array("#08S01".utf8)),
    (.unreachable, [0x51, 0x04] + Array("#HY000".utf8)), (.malformed, [0x13, 0x04] + Array("#08S01".utf8)),
  ]

  @Test(arguments: errors)
  func anErrorIsOnePacket(_ kind: MySQLError.Kind, _ head: [UInt8]) {
    let payload = [0xff] + head + Array("a?b".utf8)
    #expect(MySQLError(kind, "a\0b").packet(sequence: 3) == [UInt8(payload.count), 0, 0, 3] + payload)
    let first = [0xff] + head.prefix(2) + Array("a?b".utf8)
    #expect(
      MySQLError(kind, "a\0b").packet(sequence: 0, isFirst: true) == [UInt8(first.count), 0, 0, 0] + first)
    #expect(MySQLError(kind, String(repeating: "a", count: 9000)).packet(sequence: 3).count == 4 + 9 + 500)
  }
}
