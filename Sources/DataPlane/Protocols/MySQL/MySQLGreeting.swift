/// The server's first packet, protocol 10: the gateway's own, and what an upstream says.
package struct MySQLGreeting: Hashable, Sendable {
  /// `8.0.36`, `5.5.5-10.11.6-MariaDB`, `11.8.2-MariaDB`
  package let version: String
  package let connectionID: UInt32
  package let nonce: [UInt8]
  package let capabilities: MySQLCapabilities

  package static let nonceLength = 20
  /// utf8mb4_general_ci, which both MySQL and MariaDB know.
  private static let characterSet: UInt8 = 45
  /// SERVER_STATUS_AUTOCOMMIT
  private static let status: UInt16 = 2
  /// What the greeting shows. Every client knows it or answers with its own default; each is then switched to
  /// what the account on the upstream has.
  package static let plugin = "mysql_native_password"

  /// - Parameter nonce: 20 random bytes. Zeros, which would end it, are made ones.
  package init(version: String, connectionID: UInt32, nonce: [UInt8]) {
    self.init(
      version: version, connectionID: connectionID, nonce: nonce.map { $0 & 0x7f == 0 ? 1 : $0 & 0x7f },
      capabilities: .offered)
  }

  private init(version: String, connectionID: UInt32, nonce: [UInt8], capabilities: MySQLCapabilities) {
    self.version = version
    self.connectionID = connectionID
    self.nonce = nonce
    self.capabilities = capabilities
  }

  /// MariaDB cuts user names elsewhere than MySQL does.
  package var isMariaDB: Bool { Self.isMariaDB(version) }

  package static func isMariaDB(_ version: String) -> Bool { version.contains("MariaDB") }

  /// The packet for a client.
  package var packet: [UInt8] {
    var payload: [UInt8] = [10]
    payload += version.utf8.filter { $0 != 0 }
    payload.append(0)
    payload.appendLittle(connectionID, 4)
    payload += nonce.prefix(8) + [0]
    payload.appendLittle(capabilities.rawValue & 0xffff, 2)
    payload.append(Self.characterSet)
    payload.appendLittle(Self.status, 2)
    payload.appendLittle(capabilities.rawValue >> 16, 2)
    payload.append(UInt8(truncatingIfNeeded: nonce.count + 1))
    payload += Array(repeating: 0, count: 10)
    payload += nonce.dropFirst(8) + [0]
    payload += Self.plugin.utf8
    payload.append(0)
    return MySQLPacket.frame(payload, sequence: 0)
  }

  /// What an upstream says first.
  package enum First: Hashable, Sendable {
    case greeting(MySQLGreeting)
    /// Too many connections, a host that is not let in.
    case error(MySQLError)
  }

  package static func parse(_ bytes: Span<UInt8>) -> WireStep<First> {
    .packet(bytes, sequence: 0) { (packet) throws(MySQLProblem) in
      var cursor = WireCursor(packet.payload, of: bytes)
      switch cursor.byte(bytes) {
      case 10: return .greeting(try read(&cursor, bytes))
      case 0xff: return .error(try MySQLError.read(&cursor, bytes))
      default: throw MySQLProblem("the upstream greets with another protocol than 10: is it a MySQL server?")
      }
    }
  }

  /// - Parameter cursor: behind the protocol's version.
  private static func read(_ cursor: inout WireCursor, _ bytes: Span<UInt8>) throws(MySQLProblem)
    -> MySQLGreeting
  {
    let short = MySQLProblem("the upstream's greeting is too short: it has to be MySQL 5.5.7 or later")
    guard let version = cursor.takeZeroTerminated(bytes), let connectionID = cursor.little(4, bytes),
      let firstNonce = cursor.take(8), cursor.take(1) != nil, let low = cursor.little(2, bytes),
      cursor.take(3) != nil, let high = cursor.little(2, bytes), let named = cursor.byte(bytes),
      cursor.take(10) != nil,
      // "Rest of the plugin provided data, $len=MAX(13, length of auth-plugin-data - 8)"
      let restNonce = cursor.take(max(13, Int(named) - 8))
    else { throw short }
    return MySQLGreeting(
      version: String(decoding: bytes.copy(version), as: UTF8.self),
      connectionID: UInt32(truncatingIfNeeded: connectionID),
      nonce: bytes.copy(firstNonce) + bytes.copy(restNonce).prefix(12),
      capabilities: MySQLCapabilities(rawValue: UInt32(truncatingIfNeeded: high << 16 | low)))
  }
}
