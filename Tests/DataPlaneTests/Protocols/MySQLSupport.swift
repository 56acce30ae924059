@testable import DataPlane

/// Packets that real software sent, and ones made by hand.
enum MySQLSample {
  /// MariaDB's client 10.11, as n1 in shop; it sets SESSION_TRACK, which nobody offered.
  static let mariadbClient = bytes(
    hex: """
      d30000028da2bf00000010002100000000000000000000000000000000000000000000006e310014a0d9eee7348dee2a\
      56b7301aa95ac84d9cb030d573686f70006d7973716c5f6e61746976655f70617373776f7264007f035f6f73054c696e\
      75780c5f636c69656e745f6e616d650a6c69626d617269616462045f7069640531393132320f5f636c69656e745f7665\
      7273696f6e06332e332e3230095f706c6174666f726d067838365f36340c70726f6772616d5f6e616d65056d7973716c\
      0c5f7365727665725f686f7374093132372e302e302e31
      """)

  /// mysql-connector-python, as e1 in shop.
  static let connector = bytes(
    hex: """
      e20000020da23b00000000402d000000000000000000000000000000000000000000000065310014ed33eed468dc5a17\
      2f3308ebc6d9b65664cba0b173686f70006d7973716c5f6e61746976655f70617373776f7264008e045f706964053139\
      373132095f706c6174666f726d067838365f36340c5f736f757263655f686f737402766d0c5f636c69656e745f6e616d\
      65166d7973716c2d636f6e6e6563746f722d707974686f6e0f5f636c69656e745f6c6963656e73650747504c2d322e30\
      0f5f636c69656e745f76657273696f6e0732362e31302e30035f6f730944656269616e2d3132
      """)

  /// MariaDB 10.11's greeting.
  static let mariadbServer = bytes(
    hex: """
      640000000a352e352e352d31302e31312e31392d4d6172696144422d302b64656231327531000500000044644d314f77\
      2c6f00fef7080200ff81150000000000001d0000006e5a593126696026392d7321006d7973716c5f6e61746976655f70\
      617373776f726400
      """)

  /// COM_CHANGE_USER of mysql-connector-python, to n1 in other.
  static let changeUser = bytes(
    hex: """
      c6000000116e310014a0d9eee7348dee2a56b7301aa95ac84d9cb030d56f74686572002d006d7973716c5f6e61746976\
      655f70617373776f7264008e045f706964053139373132095f706c6174666f726d067838365f36340c5f736f75726365\
      5f686f737402766d0c5f636c69656e745f6e616d65166d7973716c2d636f6e6e6563746f722d707974686f6e0f5f636c\
      69656e745f6c6963656e73650747504c2d322e300f5f636c69656e745f76657273696f6e0732362e31302e30035f6f73\
      0944656269616e2d3132
      """)

  static let attributes = pair("_os", "Linux") + pair("_client_name", "libmariadb")

  static func pair(_ name: String, _ value: String) -> [UInt8] {
    [UInt8(name.utf8.count)] + name.utf8 + [UInt8(value.utf8.count)] + value.utf8
  }

  /// A handshake response; nil for a part leaves it out.
  static func response(
    user: [UInt8] = Array("orders_ro".utf8), proof: [UInt8] = Array(1...20),
    database: [UInt8]? = Array("orders".utf8),
    plugin: String? = "mysql_native_password\0", attributes: [UInt8]? = attributes, characterSet: UInt8 = 45,
    adding: MySQLCapabilities = [], removing: MySQLCapabilities = [], sequence: UInt8 = 2
  ) -> [UInt8] {
    var capabilities = MySQLCapabilities.offered.union(adding).subtracting(removing)
    if database == nil { capabilities.remove(.connectWithDatabase) }
    if attributes == nil { capabilities.remove(.connectAttributes) }
    var payload: [UInt8] = []
    payload.appendLittle(capabilities.rawValue, 4)
    payload.appendLittle(1 << 24, 4)
    payload += [characterSet] + Array(repeating: 0, count: 23) + user + [0]
    if capabilities.contains(.lengthEncodedAuthentication), proof.count > 250 {
      payload.append(0xfc)
      payload.appendLittle(proof.count, 2)
    } else {
      payload.append(UInt8(proof.count))
    }
    payload += proof
    if let database { payload += database + [0] }
    if let plugin { payload += plugin.utf8 }
    if let attributes { MySQLAttributes.append(attributes, to: &payload) }
    return MySQLPacket.frame(payload, sequence: sequence)
  }

  static func greeting(
    _ version: String,
    _ capabilities: MySQLCapabilities = [.offered, .compress, .sessionTrack, .deprecateEOF],
    nonce: UInt8 = 21, sequence: UInt8 = 0
  ) -> [UInt8] {
    var payload: [UInt8] = [10] + Array(version.utf8) + [0, 7, 0, 0, 0] + Array(1...8) + [0]
    payload.appendLittle(capabilities.rawValue & 0xffff, 2)
    payload += [255, 2, 0]
    payload.appendLittle(capabilities.rawValue >> 16, 2)
    payload +=
      [nonce] + Array(repeating: 0, count: 10) + Array(9...20) + [0] + Array("caching_sha2_password\0".utf8)
    return MySQLPacket.frame(payload, sequence: sequence)
  }

  static func read(_ bytes: [UInt8]) -> MySQLHandshakeResponse? {
    MySQLHandshakeResponse.parse(bytes).completed?.value
  }

  static func upstream(_ bytes: [UInt8]) -> MySQLGreeting? {
    if case .greeting(let greeting)? = MySQLGreeting.parse(bytes).completed?.value { greeting } else { nil }
  }
}
