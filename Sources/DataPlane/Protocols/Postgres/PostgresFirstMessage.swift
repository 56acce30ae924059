/// What a Postgres client may say first, without TLS and again within it (PostgreSQL documentation, "Message
/// Formats"): messages without a type byte, told apart by a number where a startup has its version.
package enum PostgresFirstMessage: Hashable, Sendable {
  case sslRequest
  case gssEncryptionRequest
  case cancel(PostgresCancelKey)
  case startup(PostgresStartup)

  /// As the server has it (MAX_STARTUP_PACKET_LENGTH, and the length's own 4 bytes).
  package static let maxLength = 10_004
  /// The first byte of a TLS record with a handshake message: a client that begins with TLS at once
  /// (`sslnegotiation=direct`). No length of a startup message begins so.
  package static let tlsHandshakeByte: UInt8 = 0x16

  static let cancelCode: UInt32 = 80_877_102
  static let sslCode: UInt32 = 80_877_103
  static let gssCode: UInt32 = 80_877_104

  /// Reads the message that the bytes begin with. Bytes behind an SSLRequest are for the caller to refuse: they
  /// were sent in plaintext, and would be read as if they had come through TLS (CVE-2021-23214).
  package static func parse(_ bytes: Span<UInt8>) -> WireStep<PostgresFirstMessage> {
    guard plausible(bytes) else {
      return .invalid("the length of the startup message is not in 8...\(maxLength)")
    }
    var cursor = WireCursor(0..<min(bytes.count, maxLength), of: bytes)
    guard let named = cursor.big(4, bytes) else { return .incomplete }
    let length = Int(named)
    guard let word = cursor.big(4, bytes) else { return .incomplete }
    let code = UInt32(truncatingIfNeeded: word)
    if let problem = problem(code, length) { return .invalid(problem) }
    guard bytes.count >= length else { return .incomplete }
    let body = 8..<length
    switch code {
    case sslCode: return .complete(.sslRequest, length: length)
    case gssCode: return .complete(.gssEncryptionRequest, length: length)
    case cancelCode:
      var body = WireCursor(body, of: bytes)
      guard let processID = body.big(4, bytes) else { return .invalid("a CancelRequest has no process") }
      let key = PostgresCancelKey(
        processID: UInt32(truncatingIfNeeded: processID), secret: bytes.copy(body.takeRest()))
      return .complete(.cancel(key), length: length)
    default:
      switch PostgresStartup.read(bytes, length: length, version: code) {
      case .success(let startup): return .complete(.startup(startup), length: length)
      case .failure(let problem): return .invalid(problem.text)
      }
    }
  }

  /// Whether the part of the length that is there can become one: known from the first byte of most garbage.
  private static func plausible(_ bytes: Span<UInt8>) -> Bool {
    var least: UInt32 = 0
    var greatest: UInt32 = 0
    for position in 0..<4 {
      least = least << 8 | UInt32(position < bytes.count ? bytes[position] : 0)
      greatest = greatest << 8 | UInt32(position < bytes.count ? bytes[position] : 0xff)
    }
    return least <= UInt32(maxLength) && greatest >= 8
  }

  /// What is wrong with a message of this code and length, whatever it holds.
  private static func problem(_ code: UInt32, _ length: Int) -> String? {
    switch code {
    case sslCode: return length == 8 ? nil : "an SSLRequest has 8 bytes, not \(length)"
    case gssCode: return length == 8 ? nil : "a GSSENCRequest has 8 bytes, not \(length)"
    case cancelCode:
      let lengths = PostgresCancelKey.secretLengths
      return lengths.contains(length - 12)
        ? nil : "a CancelRequest has a key of \(lengths), not \(length - 12) bytes"
    default:
      let (major, minor) = (code >> 16, code & 0xffff)
      return major == 3 ? nil : "the protocol version is \(major).\(minor), and only 3 is spoken"
    }
  }
}

/// What ends a running query: the pair that the server told its client in BackendKeyData.
package struct PostgresCancelKey: Hashable, Sendable {
  package let processID: UInt32
  /// 4 bytes in protocol 3.0, up to 256 in 3.2.
  package let secret: [UInt8]

  package static let secretLengths = 4...256

  package init(processID: UInt32, secret: [UInt8]) {
    self.processID = processID
    self.secret = secret
  }

  /// The CancelRequest for the upstream.
  package var request: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendBig(12 + secret.count, 4)
    bytes.appendBig(PostgresFirstMessage.cancelCode, 4)
    bytes.appendBig(processID, 4)
    return bytes + secret
  }
}
