import AccessPolicy
import COpenSSL

/// Finds the one reason why a handshake failed.
enum HandshakeDiagnosis {
  /// The type of a Certificate message (RFC 8446 §4).
  private static let certificateMessage: UInt8 = 11
  private static let clientHello: UInt8 = 1

  /// Our own refusals come first, then the certificate, then what OpenSSL says of the protocol.
  static func failure(_ state: SessionState, _ errors: [OpenSSLError]) -> HandshakeFailure {
    if let refusal = state.refusal { return refusal }
    if let failure = state.outcome?.failure { return failure }
    if let error = errors.first(where: { $0.isSSL && $0.reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE }) {
      return HandshakeFailure(
        reason: .certificateMissing, code: error.symbol, message: "the client sent no certificate")
    }
    if let alert = errors.lazy.compactMap({ error in error.receivedAlert.map { (error, $0) } }).first {
      let name = unsafe SSL_alert_desc_string_long(alert.1).map { unsafe String(cString: $0) } ?? "unknown"
      return HandshakeFailure(
        reason: .tlsProtocol, code: alert.0.symbol,
        message: "the client sent the alert \"\(name)\" (\(alert.1))")
    }
    if state.lastMessage == certificateMessage, state.certificate == nil {
      if let failure = certificateFailure(errors) { return failure }
    }
    if let error = errors.first(where: { $0.isSSL && $0.reason == SSL_R_EXCESSIVE_MESSAGE_SIZE }),
      state.lastMessage == clientHello
    {
      return HandshakeFailure(
        reason: .chainTooLong, code: error.symbol,
        message: "the client's certificates are over \(ChainLimits.certificateListBytes) bytes")
    }
    let error = errors.first(where: \.isSSL) ?? errors.first
    return HandshakeFailure(
      reason: .tlsProtocol, code: error?.symbol, message: error?.text ?? "the handshake failed")
  }

  /// The Certificate message was read and no chain came out of it.
  private static func certificateFailure(_ errors: [OpenSSLError]) -> HandshakeFailure? {
    // d2i_X509 leaves errors of the ASN.1 library, below those of TLS.
    if let error = errors.first(where: { !$0.isSSL }) {
      return .malformedCertificate("OpenSSL cannot parse the client's certificate: \(error.text)", depth: nil)
    }
    if errors.contains(where: { $0.isSSL && $0.reason == SSL_R_CERT_LENGTH_MISMATCH }) {
      return .malformedCertificate("there are bytes behind the end of a certificate", depth: nil)
    }
    return nil
  }
}
