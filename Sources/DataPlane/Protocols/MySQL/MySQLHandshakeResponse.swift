/// What a client answers to the greeting.
package enum MySQLClientHello: Hashable, Sendable {
  /// TLS is next.
  case tlsRequest
  /// A client that wants no TLS. Nothing else of it is read.
  case withoutTLS

  /// Reads the client's first packet, which is in plaintext. Bytes behind a request for TLS are TLS's own, for
  /// the client does not wait for an answer.
  package static func parse(_ bytes: Span<UInt8>) -> WireStep<MySQLClientHello> {
    .packet(bytes, sequence: 1) { (packet) throws(MySQLProblem) in
      var cursor = WireCursor(packet.payload, of: bytes)
      guard let capabilities = MySQLHandshakeResponse.capabilities(&cursor, bytes) else {
        throw MySQLProblem("the client's first packet is too short")
      }
      try MySQLHandshakeResponse.check(capabilities)
      guard capabilities.contains(.tls) else { return .withoutTLS }
      // The capabilities alone are what old versions of Connector/J send.
      let length = packet.payload.count
      guard length == MySQLHandshakeResponse.fixedLength || length == 4 else {
        throw MySQLProblem("the client's request for TLS has \(length) bytes")
      }
      return .tlsRequest
    }
  }
}

/// HandshakeResponse41: who wants to be whom. It is never passed on as it came: the upstream gets one that the
/// gateway writes of what was read and judged.
package struct MySQLHandshakeResponse: Hashable, Sendable {
  package let capabilities: MySQLCapabilities
  package let names: MySQLNames
  /// The sequence of the packet: what the client is told next has the one behind it.
  package let sequence: UInt8
  let maxPacket: UInt32
  let characterSet: UInt8
  /// The connect attributes, with the lengths in them and without that of the whole.
  let attributes: [UInt8]

  /// Capabilities, longest packet, character set, 23 bytes that nobody uses.
  static let fixedLength = 32

  /// Reads the packet that a client sends within TLS, behind its request for it.
  package static func parse(_ bytes: Span<UInt8>) -> WireStep<MySQLHandshakeResponse> {
    .packet(bytes, sequence: 2) { (packet) throws(MySQLProblem) in
      try read(packet, bytes)
    }
  }

  static func capabilities(_ cursor: inout WireCursor, _ bytes: Span<UInt8>) -> MySQLCapabilities? {
    // Clients before MySQL 4.1 send two bytes of them, without the flag for the protocol.
    cursor.little(min(4, max(2, cursor.remaining)), bytes).map {
      MySQLCapabilities(rawValue: UInt32(truncatingIfNeeded: $0))
    }
  }

  static func check(_ capabilities: MySQLCapabilities) throws(MySQLProblem) {
    guard capabilities.contains(.protocol41) else {
      throw MySQLProblem("the client speaks the protocol before MySQL 4.1")
    }
    guard capabilities.isSuperset(of: .required) else {
      throw MySQLProblem("the client knows no authentication plugins, which a switch to the upstream's needs")
    }
  }

  private static func read(
    _ packet: MySQLPacket, _ bytes: Span<UInt8>
  ) throws(MySQLProblem) -> MySQLHandshakeResponse {
    var cursor = WireCursor(packet.payload, of: bytes)
    let short = MySQLProblem("the client's handshake response is too short")
    guard let capabilities = capabilities(&cursor, bytes) else { throw short }
    try check(capabilities)
    guard let maxPacket = cursor.little(4, bytes), let characterSet = cursor.byte(bytes),
      cursor.take(23) != nil,
      let user = cursor.takeZeroTerminated(bytes), takeProof(&cursor, capabilities, bytes) != nil
    else { throw short }
    var database: Range<Int>?
    if capabilities.contains(.connectWithDatabase) {
      database = cursor.takeZeroTerminated(bytes)
      guard database != nil else { throw short }
    }
    // The name of a plugin, which is ours to choose; some clients leave out its zero at the packet's end.
    if cursor.takeZeroTerminated(bytes) == nil { _ = cursor.takeRest() }
    return MySQLHandshakeResponse(
      capabilities: capabilities,
      names: try MySQLNames.read(user: user, database: database, characterSet: UInt16(characterSet), bytes),
      sequence: packet.sequence, maxPacket: UInt32(truncatingIfNeeded: maxPacket), characterSet: characterSet,
      attributes: try MySQLAttributes.read(&cursor, capabilities, bytes))
  }

  /// The answer to our nonce, which proves nothing to anybody: passed over in whichever of its three forms.
  static func takeProof(
    _ cursor: inout WireCursor, _ capabilities: MySQLCapabilities, _ bytes: Span<UInt8>
  ) -> Range<Int>? {
    if capabilities.contains(.lengthEncodedAuthentication) { return cursor.takeLengthEncoded(bytes) }
    if capabilities.contains(.secureConnection) {
      guard let length = cursor.byte(bytes) else { return nil }
      return cursor.take(Int(length))
    }
    return cursor.takeZeroTerminated(bytes)
  }
}

/// The connect attributes: names and values that the server shows to its administrators.
enum MySQLAttributes {
  /// - Returns: the attributes without the length of the whole; empty where there are none.
  static func read(
    _ cursor: inout WireCursor, _ capabilities: MySQLCapabilities, _ bytes: Span<UInt8>
  ) throws(MySQLProblem) -> [UInt8] {
    guard capabilities.contains(.connectAttributes), !cursor.isAtEnd else { return [] }
    guard let range = cursor.takeLengthEncoded(bytes), range.count <= 1 << 16 else {
      throw MySQLProblem("the client's connect attributes do not fit")
    }
    var pairs = WireCursor(range, of: bytes)
    while !pairs.isAtEnd {
      guard pairs.takeLengthEncoded(bytes) != nil, pairs.takeLengthEncoded(bytes) != nil else {
        throw MySQLProblem("the client's connect attributes are broken")
      }
    }
    return bytes.copy(range)
  }

  /// With the length of the whole.
  static func append(_ attributes: [UInt8], to payload: inout [UInt8]) {
    switch attributes.count {
    case ...0xfa: payload.append(UInt8(truncatingIfNeeded: attributes.count))
    case ...0xffff:
      payload.append(0xfc)
      payload.appendLittle(attributes.count, 2)
    default:
      payload.append(0xfd)
      payload.appendLittle(attributes.count, 3)
    }
    payload += attributes
  }
}
