import AccessPolicy
import COpenSSL

/// What a presented chain may cost, judged before any signature is checked: verifying with the keys that an
/// unauthenticated peer chose is work that it makes us do (CVE-2023-29409, CVE-2025-58187).
enum ChainLimits {
  /// Between the client's certificate and the anchor, neither counted.
  static let intermediates: Int32 = 4
  /// Certificates presented. More than a leaf, four intermediates and a root, since some clients add
  /// cross-signed twins; OpenSSL still builds no chain beyond ``intermediates``.
  static let presentedCertificates = 10
  /// Bytes of the Certificate message: ten certificates with keys and signatures of the largest size.
  static let certificateListBytes = 64 * 1024
  /// Bits of an RSA, DSA or DH modulus.
  static let modulusBits: Int32 = 8192

  /// - Parameter presented: `STACK_OF(X509)`, the leaf included or not.
  /// - Returns: why the chain is refused unread, or nil.
  static func refusal(leaf: OpaquePointer, presented: OpaquePointer?) -> HandshakeFailure? {
    let count = unsafe presented.map { unsafe Int(shim_sk_X509_num($0)) } ?? 0
    guard count <= presentedCertificates else {
      return HandshakeFailure(
        reason: .chainTooLong, code: "X509_V_ERR_CERT_CHAIN_TOO_LONG",
        message: "the client sent \(count) certificates, at most \(presentedCertificates) are read")
    }
    if let failure = unsafe refusal(of: leaf, depth: 0) { return failure }
    for index in 0..<max(0, count) {
      guard let certificate = unsafe shim_sk_X509_value(presented, Int32(truncatingIfNeeded: index)) else {
        continue
      }
      if let failure = unsafe refusal(of: certificate, depth: index) { return failure }
    }
    return nil
  }

  private static func refusal(of certificate: OpaquePointer, depth: Int) -> HandshakeFailure? {
    guard let key = unsafe X509_get0_pubkey(certificate) else {
      ERR_clear_error()
      var failure = HandshakeFailure.malformedCertificate(
        "the public key cannot be read, or its algorithm is unknown to OpenSSL", depth: depth)
      failure.subject = unsafe DistinguishedName(X509_get_subject_name(certificate)).text
      return failure
    }
    let bits = unsafe EVP_PKEY_get_bits(key)
    guard bits > modulusBits, unsafe !isMeasuredOtherwise(key) else { return nil }
    return HandshakeFailure(
      reason: .certificateInvalid, code: "X509_V_ERR_APPLICATION_VERIFICATION",
      message: "the public key has \(bits) bits, at most \(modulusBits) are accepted", depth: depth,
      subject: unsafe DistinguishedName(X509_get_subject_name(certificate)).text)
  }

  /// Post-quantum keys are thousands of octets long and cheap to verify with; OpenSSL 3.5 gives such sizes.
  private static func isMeasuredOtherwise(_ key: OpaquePointer) -> Bool {
    switch unsafe EVP_PKEY_get_base_id(key) {
    case EVP_PKEY_RSA, EVP_PKEY_RSA_PSS, EVP_PKEY_DSA, EVP_PKEY_DH, EVP_PKEY_DHX: false
    default: true
    }
  }
}
