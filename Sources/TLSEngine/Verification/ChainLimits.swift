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
  /// Bits of an RSA modulus. A signature takes 0.1 ms to verify with 8192 bits and the usual exponent.
  static let modulusBits: Int32 = 8192
  /// Bits of a DSA or DH modulus: the largest that FIPS 186-4 §4.2 knows. Their exponents are long.
  static let discreteModulusBits: Int32 = 3072
  /// Bits of an RSA public exponent, which for moduli up to 3072 bits OpenSSL takes as long as the modulus: a
  /// verification then costs as much as ten thousand. All but a few keys have 17.
  static let exponentBits: Int32 = 64

  /// - Parameter presented: `STACK_OF(X509)`, the leaf included or not.
  /// - Returns: why the chain is refused unread, or nil.
  static func refusal(leaf: OpaquePointer, presented: OpaquePointer?) -> HandshakeFailure? {
    let count = unsafe presented.map { unsafe Int(shim_sk_X509_num($0)) } ?? 0
    guard count <= presentedCertificates else { return tooMany(count) }
    if let failure = unsafe refusal(of: leaf, depth: 0) { return failure }
    for index in 0..<max(0, count) {
      guard let certificate = unsafe shim_sk_X509_value(presented, Int32(truncatingIfNeeded: index)) else {
        continue
      }
      if let failure = unsafe refusal(of: certificate, depth: index) { return failure }
    }
    return nil
  }

  static func tooMany(_ count: Int) -> HandshakeFailure {
    HandshakeFailure(
      reason: .chainTooLong, code: "X509_V_ERR_CERT_CHAIN_TOO_LONG",
      message: "the client sent \(count) certificates, at most \(presentedCertificates) are read")
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
    let limit = unsafe modulusBits(of: key)
    if let limit, bits > limit {
      return unsafe refusal(
        certificate, depth, "the public key has \(bits) bits, at most \(limit) are accepted")
    }
    let exponent = unsafe exponentBits(of: key)
    if exponent > exponentBits {
      return unsafe refusal(
        certificate, depth, "the public exponent has \(exponent) bits, at most \(exponentBits) are accepted")
    }
    return nil
  }

  private static func refusal(
    _ certificate: OpaquePointer, _ depth: Int, _ message: String
  ) -> HandshakeFailure {
    HandshakeFailure(
      reason: .certificateInvalid, code: "X509_V_ERR_APPLICATION_VERIFICATION", message: message,
      depth: depth, subject: unsafe DistinguishedName(X509_get_subject_name(certificate)).text)
  }

  /// Nil for keys that are not measured so: those of post-quantum algorithms are thousands of octets long and
  /// cheap to verify with.
  private static func modulusBits(of key: OpaquePointer) -> Int32? {
    switch unsafe EVP_PKEY_get_base_id(key) {
    case EVP_PKEY_RSA, EVP_PKEY_RSA_PSS: modulusBits
    case EVP_PKEY_DSA, EVP_PKEY_DH, EVP_PKEY_DHX: discreteModulusBits
    default: nil
    }
  }

  private static func exponentBits(of key: OpaquePointer) -> Int32 {
    switch unsafe EVP_PKEY_get_base_id(key) {
    case EVP_PKEY_RSA, EVP_PKEY_RSA_PSS:
      var exponent: OpaquePointer?
      guard unsafe EVP_PKEY_get_bn_param(key, "e", &exponent) == 1 else { return .max }
      defer { unsafe BN_free(exponent) }
      return unsafe BN_num_bits(exponent)
    default: return 0
    }
  }
}
