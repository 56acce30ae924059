package import AccessPolicy

/// Why a handshake or the verification of a chain failed.
package struct HandshakeFailure: Error, Hashable, Sendable {
  /// The closed reason that the log uses.
  package var reason: HandshakeReason
  /// OpenSSL's own name, such as `X509_V_ERR_CERT_HAS_EXPIRED` or `SSL_R_NO_SHARED_CIPHER`.
  package var code: String?
  /// One sentence for people, without a full stop.
  package var message: String
  /// Which certificate failed: 0 is the client's own, 1 its issuer, …
  package var depth: Int?
  /// The subject of the certificate that failed, in RFC 4514's form.
  package var subject: String?

  /// A failure with everything that is known of it.
  package init(
    reason: HandshakeReason, code: String?, message: String, depth: Int? = nil, subject: String? = nil
  ) {
    self.reason = reason
    self.code = code
    self.message = message
    self.depth = depth
    self.subject = subject
  }

  static func malformedCertificate(_ message: String, depth: Int?) -> HandshakeFailure {
    HandshakeFailure(reason: .certificateMalformed, code: nil, message: message, depth: depth)
  }
}
