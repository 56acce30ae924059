import COpenSSL

/// A Certificate message (RFC 8446 §4.4.2, RFC 5246 §7.4.2) as it came, before OpenSSL parses it.
struct CertificateMessage {
  /// Why it is refused unparsed.
  private(set) var refusal: HandshakeFailure?
  /// The first certificate, where that much can be read of it.
  private(set) var leaf: Certificate?

  /// - Parameters:
  ///   - message: with its header of four octets.
  ///   - version: TLS1_2_VERSION or TLS1_3_VERSION, whose messages differ.
  init(_ message: [UInt8], version: Int32) {
    guard let certificates = Self.certificates(message, version) else {
      // OpenSSL says what is wrong with it.
      return
    }
    refusal =
      certificates.count > ChainLimits.presentedCertificates
      ? ChainLimits.tooMany(certificates.count) : CertificateScreen.refusal(of: certificates)
    // A refused client is to be known in the log, if its own certificate is not what is refused unread.
    guard refusal != nil, let first = certificates.first, CertificateScreen.refusal(of: [first]) == nil else {
      return
    }
    leaf = Certificate(der: first)
  }

  private static func certificates(_ message: [UInt8], _ version: Int32) -> [[UInt8]]? {
    var reader = Reader(rest: message[...].dropFirst(4))
    let isNewer = version == TLS1_3_VERSION
    // certificate_request_context
    if isNewer, reader.vector(octets: 1) == nil { return nil }
    guard let list = reader.vector(octets: 3), reader.rest.isEmpty else { return nil }
    reader.rest = list
    var certificates: [[UInt8]] = []
    while !reader.rest.isEmpty {
      guard let certificate = reader.vector(octets: 3) else { return nil }
      if isNewer, reader.vector(octets: 2) == nil { return nil }
      certificates.append(Array(certificate))
    }
    return certificates
  }

  private struct Reader {
    var rest: ArraySlice<UInt8>

    /// A vector behind its length.
    mutating func vector(octets: Int) -> ArraySlice<UInt8>? {
      guard rest.count >= octets else { return nil }
      let length = rest.prefix(octets).reduce(0) { $0 << 8 | Int($1) }
      guard length <= rest.count - octets else { return nil }
      defer { rest = rest.dropFirst(octets + length) }
      return rest.dropFirst(octets).prefix(length)
    }
  }

  /// Makes the message unreadable where it lies, so that OpenSSL parses none of it: SSL_CTX_set_msg_callback(3)
  /// shows a message before it is parsed, and has no other way to stop that. The bytes are OpenSSL's own
  /// buffer, which it filled itself; the hash over the handshake has them already. An empty list with bytes
  /// behind it is a decode_error in both versions.
  static func spoil(_ bytes: UnsafeRawPointer, count: Int) {
    guard count > 4 else { return }
    unsafe UnsafeMutableRawPointer(mutating: bytes).advanced(by: 4).initializeMemory(
      as: UInt8.self, repeating: 0, count: count - 4)
  }
}
