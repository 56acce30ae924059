/// What the gateway itself says to a Postgres client.
package enum PostgresAnswer {
  /// To SSLRequest: TLS may begin.
  package static let acceptTLS: [UInt8] = [UInt8(ascii: "S")]
  /// To GSSENCRequest: the client asks for TLS next.
  package static let refuseGSSEncryption: [UInt8] = [UInt8(ascii: "N")]

  /// The SQLSTATEs that the gateway refuses with (PostgreSQL documentation, appendix A).
  package enum State: String, CaseIterable, Sendable {
    case invalidAuthorization = "28000"
    case tooManyConnections = "53300"
    case adminShutdown = "57P01"
    case cannotConnectNow = "57P03"
    case connectionFailure = "08006"
    case protocolViolation = "08P01"
    case internalError = "XX000"
  }

  /// An ErrorResponse that ends the connection. A zero in the text, which would end it early, is shown.
  package static func fatal(_ state: State, _ text: String) -> [UInt8] {
    var fields: [UInt8] = []
    for (type, value) in [("S", "FATAL"), ("V", "FATAL"), ("C", state.rawValue), ("M", text)] {
      fields += type.utf8
      for byte in value.utf8 {
        if byte == 0 { fields += "\\x00".utf8 } else { fields.append(byte) }
      }
      fields.append(0)
    }
    fields.append(0)
    var message = [UInt8(ascii: "E")]
    message.appendBig(4 + fields.count, 4)
    return message + fields
  }
}

/// The client's side of TLS to an upstream.
package enum PostgresUpstreamTLS {
  /// The SSLRequest.
  package static let request: [UInt8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]

  package enum Answer: Hashable, Sendable { case accepted, refused }

  /// Reads the answer: one byte, and nothing behind it. More would be taken for what comes through TLS, and
  /// anybody on the way could have put it there (CVE-2021-23222); for the same reason the text of an error in
  /// plaintext is not shown to anybody (CVE-2024-10977).
  package static func answer(_ bytes: Span<UInt8>) -> WireStep<Answer> {
    guard bytes.count > 0 else { return .incomplete }
    guard bytes[0] != UInt8(ascii: "E") else {
      return .invalid("the upstream answered SSLRequest with an error")
    }
    guard bytes[0] == UInt8(ascii: "S") || bytes[0] == UInt8(ascii: "N") else {
      return .invalid("the upstream answered SSLRequest with neither S nor N: is it a Postgres server?")
    }
    guard bytes.count == 1 else { return .invalid("the upstream sent bytes behind its answer to SSLRequest") }
    return .complete(bytes[0] == UInt8(ascii: "S") ? .accepted : .refused, length: 1)
  }
}
