/// COM_CHANGE_USER: a client that is in wants to be somebody else.
package struct MySQLChangeUser: Hashable, Sendable {
  package let names: MySQLNames
  private let characterSet: UInt16
  private let attributes: [UInt8]

  /// - Parameter client: what the client has of the capabilities that it was offered.
  package static func parse(
    _ bytes: Span<UInt8>, client: MySQLCapabilities
  ) -> WireStep<MySQLChangeUser> {
    .packet(bytes, sequence: 0) { (packet) throws(MySQLProblem) in
      var cursor = WireCursor(packet.payload, of: bytes)
      guard cursor.byte(bytes) == MySQLCommandScan.Command.changeUser.rawValue else {
        throw MySQLProblem("expected COM_CHANGE_USER")
      }
      // The proof has one byte of length here, whatever the capabilities say.
      let forms = client.subtracting(.lengthEncodedAuthentication)
      guard let user = cursor.takeZeroTerminated(bytes),
        MySQLHandshakeResponse.takeProof(&cursor, forms, bytes) != nil,
        let database = cursor.takeZeroTerminated(bytes), let characterSet = cursor.little(2, bytes)
      else { throw MySQLProblem("COM_CHANGE_USER is too short") }
      if cursor.takeZeroTerminated(bytes) == nil { _ = cursor.takeRest() }
      let collation = UInt16(truncatingIfNeeded: characterSet)
      return MySQLChangeUser(
        names: try MySQLNames.read(user: user, database: database, characterSet: collation, bytes),
        characterSet: collation, attributes: try MySQLAttributes.read(&cursor, client, bytes))
    }
  }

  /// The command for the upstream, which answers with a switch to the plugin of the account, as it did to the
  /// handshake (see ``MySQLUpstreamHandshake``). The sequences of both sides are the same from here on.
  /// - Parameter upstream: what client and upstream have in common.
  package func packet(upstream: MySQLCapabilities) -> [UInt8] {
    var payload = [MySQLCommandScan.Command.changeUser.rawValue]
    payload += names.user.utf8
    payload += [0, 0]
    payload += (names.database ?? "").utf8
    payload.append(0)
    payload.appendLittle(characterSet, 2)
    payload += MySQLUpstreamHandshake.plugin.utf8
    payload.append(0)
    if upstream.contains(.connectAttributes) { MySQLAttributes.append(attributes, to: &payload) }
    return MySQLPacket.frame(payload, sequence: 0)
  }
}
