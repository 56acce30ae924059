/// What the gateway says to an upstream in a client's name.
///
/// The response to the upstream's greeting names a plugin that no account has, and proves nothing. The server
/// then asks for a switch to the plugin that the account has, with a nonce of its own; the switch goes to the
/// client as it is, which so proves itself to the server, and the gateway sees no secret that it could use.
package struct MySQLUpstreamHandshake: Hashable, Sendable {
  /// What client and upstream have in common: what COM_CHANGE_USER is written with too.
  package let capabilities: MySQLCapabilities
  /// Characters that the upstream reads of a user name; it cuts what is longer.
  package let longestUser: Int
  private let response: MySQLHandshakeResponse
  private let usesTLS: Bool

  static let plugin = "countersign_switch"

  package enum Refusal: Error, Hashable, Sendable {
    /// The upstream lacks something; for the log.
    case upstream(String)
    /// It offers no TLS, which it has to have.
    case noTLS
    /// The client's name is not what this upstream would make of it; for the log.
    case name(String)
  }

  /// - Parameters:
  ///   - usesTLS: whether TLS comes before the response.
  ///   - isMariaDB: whether the upstream reads names as long as MariaDB does; where TLS comes first, its greeting
  ///     is anybody's word.
  package init(
    _ response: MySQLHandshakeResponse, upstream: MySQLGreeting, usesTLS: Bool, isMariaDB: Bool
  ) throws(Refusal) {
    let client = response.capabilities.intersection(.offered)
    var common = client.intersection(upstream.capabilities)
    guard common.isSuperset(of: .required) else {
      throw .upstream("the upstream knows no authentication plugins: it has to be MySQL 5.5.7 or later")
    }
    guard client.subtracting(common).isDisjoint(with: .shapingMessages) else {
      throw .upstream("the upstream lacks capabilities that the client was offered")
    }
    guard !usesTLS || upstream.capabilities.contains(.tls) else {
      throw .noTLS
    }
    longestUser = isMariaDB ? MySQLNames.maxUserCharactersMariaDB : MySQLNames.maxUserCharacters
    guard response.names.user.unicodeScalars.count <= longestUser else {
      throw .name("the user name is over the \(longestUser) characters that the upstream reads of it")
    }
    if usesTLS { common.insert(.tls) } else { common.remove(.tls) }
    if response.names.database == nil { common.remove(.connectWithDatabase) }
    capabilities = common
    self.response = response
    self.usesTLS = usesTLS
  }

  /// The request for TLS. What follows it goes through TLS.
  package var tlsRequest: [UInt8] { MySQLPacket.frame(fixedPart, sequence: 1) }

  /// The sequence of ``packet``.
  package var sequence: UInt8 { usesTLS ? 2 : 1 }

  /// The HandshakeResponse41.
  package var packet: [UInt8] {
    var payload = fixedPart
    payload += response.names.user.utf8
    payload += [0, 0]  // the end of the name, and a proof of no bytes in either form
    if let database = response.names.database, capabilities.contains(.connectWithDatabase) {
      payload += database.utf8
      payload.append(0)
    }
    payload += Self.plugin.utf8
    payload.append(0)
    if capabilities.contains(.connectAttributes) { MySQLAttributes.append(response.attributes, to: &payload) }
    return MySQLPacket.frame(payload, sequence: sequence)
  }

  private var fixedPart: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendLittle(capabilities.rawValue, 4)
    bytes.appendLittle(response.maxPacket, 4)
    bytes.append(response.characterSet)
    return bytes + Array(repeating: 0, count: 23)
  }
}
