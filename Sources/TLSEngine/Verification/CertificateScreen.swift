import AccessPolicy
import COpenSSL

/// What is refused of a stranger's certificates before OpenSSL parses them, which is work already: it decodes the
/// public key on the way, and a compressed point on a curve of the sender's own making (X9.62 explicit
/// parameters) takes a square root modulo the sender's prime, which can be made to cost a quarter of a second. RFC
/// 5480 §2.1.1 allows no such parameters in a certificate.
enum CertificateScreen {
  private static let ellipticCurve: [UInt8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]
  /// ASN.1 elements of one certificate. Ordinary ones have a hundred, and one more for each name; parsing and
  /// copying them takes microseconds each.
  static let elements = 1000
  /// Names and name constraints of a chain, multiplied: each is compared with each, in 30 ns.
  static let comparisons = 1 << 16
  /// Policies and mappings of a chain: their tree can double with each certificate (CVE-2023-0464).
  static let policies = 200

  /// - Parameter certificates: DER, in their order.
  static func refusal(of certificates: [[UInt8]]) -> HandshakeFailure? {
    var names = 0
    var constraints = 0
    var policies = 0
    for (depth, der) in certificates.enumerated() {
      guard let shape = CertificateShape(der, most: elements) else {
        return .malformedCertificate(
          "the certificate is not DER as RFC 5280 §4.1 has it, or has too many parts", depth: depth)
      }
      if let failure = refusal(of: shape, der, depth) { return failure }
      names += shape.names
      constraints += shape.constraints
      policies += shape.policies
    }
    if names * constraints > comparisons {
      return tooMuch("the chain has \(constraints) name constraints for \(names) names", depth: nil)
    }
    if policies > Self.policies {
      return tooMuch(
        "the chain has \(policies) policies and mappings, at most \(Self.policies) are read", depth: nil)
    }
    return nil
  }

  private static func refusal(of shape: CertificateShape, _ der: [UInt8], _ depth: Int) -> HandshakeFailure? {
    if shape.elements > elements {
      return tooMuch("the certificate has more than \(elements) ASN.1 elements", depth: depth)
    }
    guard let name = shape.keyAlgorithm.first, name.isUniversal, name.tag == V_ASN1_OBJECT else {
      return .malformedCertificate("the public key names no algorithm", depth: depth)
    }
    guard der[name.content].elementsEqual(ellipticCurve) else { return nil }
    if let curve = shape.keyAlgorithm.dropFirst().first, curve.isUniversal, curve.tag == V_ASN1_OBJECT {
      return nil
    }
    let (code, reason) = VerificationErrors.describe(X509_V_ERR_EC_KEY_EXPLICIT_PARAMS)
    return HandshakeFailure(
      reason: reason, code: code, message: "the public key is on a curve without a name (RFC 5480 §2.1.1)",
      depth: depth)
  }

  private static func tooMuch(_ message: String, depth: Int?) -> HandshakeFailure {
    HandshakeFailure(
      reason: .certificateInvalid, code: "X509_V_ERR_APPLICATION_VERIFICATION", message: message, depth: depth
    )
  }
}
