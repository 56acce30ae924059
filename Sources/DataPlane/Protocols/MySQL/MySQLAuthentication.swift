/// A packet that the upstream sends while the client authenticates. It goes to the client as it is, but for its
/// sequence.
package enum MySQLServerAuthentication: Hashable, Sendable {
  /// The client is in: commands are next.
  case ok
  /// It is not.
  case error(MySQLError)
  /// The client is to answer with another plugin.
  case switchPlugin(name: String)
  /// caching_sha2_password knew the client; OK follows.
  case fastAuthenticationSucceeded
  /// caching_sha2_password asks for the password itself: see ``asksForPassword(of:)``.
  case fullAuthentication
  /// Whatever else a plugin says.
  case pluginData

  /// Whether the client may answer with its password as it is. It trusts in the TLS that ends here, so such a packet
  /// must not go to it unless the way to the upstream is TLS or a Unix socket too. What is not known to be harmless
  /// is taken for a question for the password: whoever stands on a way without TLS writes what he likes.
  /// - Parameter plugin: what the upstream switched to last; nil before it did.
  package func asksForPassword(of plugin: String?) -> Bool {
    switch self {
    case .ok, .error, .fastAuthenticationSucceeded: false
    case .fullAuthentication: true
    case .switchPlugin(let name): !Self.challengeResponse.contains(name)
    case .pluginData: !Self.conversations.contains(plugin ?? "")
    }
  }

  /// Plugins whose first answer is worth nothing without the nonce. caching_sha2_password asks again before a
  /// password is sent. Another, such as mysql_clear_password, sha256_password or dialog, sends it at once.
  private static let challengeResponse: Set<String> = [
    "mysql_native_password", "caching_sha2_password", "client_ed25519", "parsec", "auth_gssapi_client",
  ]
  /// Those of them that go on with more than one answer, and never with a password.
  private static let conversations: Set<String> = ["client_ed25519", "parsec", "auth_gssapi_client"]

  /// What caching_sha2_password says in one byte.
  private static func signal(_ byte: UInt8) -> MySQLServerAuthentication {
    switch byte {
    case 3: .fastAuthenticationSucceeded
    case 4: .fullAuthentication
    default: .pluginData
    }
  }

  /// - Parameter numbering: whose turn it is.
  package static func parse(
    _ bytes: Span<UInt8>, _ numbering: MySQLNumbering
  ) -> WireStep<MySQLServerAuthentication> {
    .packet(bytes, sequence: numbering.upstream) { (packet) throws(MySQLProblem) in
      var cursor = WireCursor(packet.payload, of: bytes)
      switch cursor.byte(bytes) {
      case 0x00: return .ok
      case 0xff: return .error(try MySQLError.read(&cursor, bytes))
      case 0xfe:
        // Alone it asks for the password of MySQL before 4.1, which anybody on the way can break.
        guard let name = cursor.takeZeroTerminated(bytes), let text = bytes.text(name), !text.isEmpty else {
          throw MySQLProblem("the upstream asks for the authentication of MySQL before 4.1")
        }
        return .switchPlugin(name: text)
      case 0x01:
        guard cursor.remaining == 1 else { return .pluginData }
        return signal(bytes[cursor.offset])
      // Clients take the 0x01 off where it is, and do without it where it is not.
      case let byte? where cursor.isAtEnd: return signal(byte)
      case nil: throw MySQLProblem("the upstream sent an empty packet")
      default: return .pluginData
      }
    }
  }
}

/// The sequences of both sides while a client authenticates: each packet, from whichever side, has the next one,
/// and the two sides are some packets apart, for each has its own TLS or none.
package struct MySQLNumbering: Hashable, Sendable {
  /// Of the next packet on the client's side.
  package private(set) var client: UInt8
  /// Of the next packet on the upstream's side.
  package private(set) var upstream: UInt8

  /// - Parameters: the sequences of the last packets: the client's response, and that of the gateway.
  package init(lastOfClient: UInt8, lastOfUpstream: UInt8) {
    client = lastOfClient &+ 1
    upstream = lastOfUpstream &+ 1
  }

  /// A packet has gone over from one side to the other.
  package mutating func advance() {
    client &+= 1
    upstream &+= 1
  }
}
