/// An ERR packet.
package struct MySQLError: Hashable, Sendable {
  package let code: UInt16
  package let state: String
  package let message: String

  package init(code: UInt16, state: String, message: String) {
    self.code = code
    self.state = state
    self.message = message
  }

  /// Why the gateway itself refuses.
  package enum Kind: CaseIterable, Sendable {
    case denied, noTLS, limit, draining, unreachable, malformed

    /// Code and SQL state (MySQL documentation, "Server Error Message Reference").
    var numbers: (code: UInt16, state: String) {
      switch self {
      case .denied: (1045, "28000")  // ER_ACCESS_DENIED_ERROR
      case .noTLS: (3159, "HY000")  // ER_SECURE_TRANSPORT_REQUIRED
      case .limit: (1040, "08004")  // ER_CON_COUNT_ERROR
      case .draining: (1053, "08S01")  // ER_SERVER_SHUTDOWN
      case .unreachable: (1105, "HY000")  // ER_UNKNOWN_ERROR
      case .malformed: (1043, "08S01")  // ER_HANDSHAKE_ERROR
      }
    }
  }

  package init(_ kind: Kind, _ message: String) {
    self.init(code: kind.numbers.code, state: kind.numbers.state, message: message)
  }

  /// - Parameter isFirst: in the place of a greeting: a client that has seen no capabilities yet takes the SQL
  ///   state for text.
  package func packet(sequence: UInt8, isFirst: Bool = false) -> [UInt8] {
    var payload: [UInt8] = [0xff]
    payload.appendLittle(code, 2)
    if !isFirst { payload += "#\(state)".utf8 }
    // A client's buffer for it has MYSQL_ERRMSG_SIZE, 512 bytes.
    payload += message.utf8.prefix(500).map { $0 == 0 ? UInt8(ascii: "?") : $0 }
    return MySQLPacket.frame(payload, sequence: sequence)
  }

  /// - Parameter cursor: behind the 0xff.
  static func read(_ cursor: inout WireCursor, _ bytes: Span<UInt8>) throws(MySQLProblem) -> MySQLError {
    guard let code = cursor.little(2, bytes) else { throw MySQLProblem("the upstream's error is too short") }
    var state = "HY000"
    if !cursor.isAtEnd, bytes[cursor.offset] == UInt8(ascii: "#"), let range = cursor.take(6) {
      state = String(decoding: bytes.copy(range).dropFirst(), as: UTF8.self)
    }
    let rest = cursor.takeRest()
    return MySQLError(
      code: UInt16(truncatingIfNeeded: code), state: state,
      message: String(decoding: bytes.copy(rest.prefix(512)), as: UTF8.self))
  }
}
