import COpenSSL

/// What is refused before OpenSSL parses a certificate that a stranger sent. It decodes the public key while it
/// parses: a compressed point on a curve of the sender's own making (X9.62 explicit parameters) takes a square
/// root modulo the sender's prime, which can be made to cost a quarter of a second, and the Certificate message
/// has room for a hundred of them. RFC 5480 §2.1.1 allows no such parameters in a certificate.
enum CertificateScreen {
  private static let ellipticCurve: [UInt8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]

  /// - Parameter depth: the certificate's place in the chain, for the failure.
  static func refusal(of der: [UInt8], depth: Int) -> HandshakeFailure? {
    guard let algorithm = keyAlgorithm(der) else {
      return .malformedCertificate("the certificate is not DER as RFC 5280 §4.1 has it", depth: depth)
    }
    guard let name = algorithm.first, name.isUniversal, name.tag == V_ASN1_OBJECT else {
      return .malformedCertificate("the public key names no algorithm", depth: depth)
    }
    guard der[name.content].elementsEqual(ellipticCurve) else { return nil }
    if let curve = algorithm.dropFirst().first, curve.isUniversal, curve.tag == V_ASN1_OBJECT { return nil }
    let error = X509_V_ERR_EC_KEY_EXPLICIT_PARAMS
    return HandshakeFailure(
      reason: VerificationErrors.describe(error).reason, code: VerificationErrors.describe(error).name,
      message: "the public key is on a curve without a name (RFC 5480 §2.1.1)", depth: depth)
  }

  /// The elements of subjectPublicKeyInfo.algorithm; nil where the DER does not lead there.
  private static func keyAlgorithm(_ der: [UInt8]) -> [DERElement]? {
    guard let certificate = DERElement(der, in: 0..<der.count), certificate.isSequence,
      certificate.whole.upperBound == der.count,
      let body = DERElement(der, in: certificate.content), body.isSequence
    else { return nil }
    // version [0] where it is not 1, serialNumber, signature, issuer, validity, subject, then the key.
    var rest = body.content
    guard let first = DERElement(der, in: rest) else { return nil }
    for _ in 0..<(first.isUniversal ? 5 : 6) {
      guard let field = DERElement(der, in: rest) else { return nil }
      rest = field.whole.upperBound..<body.content.upperBound
    }
    guard let key = DERElement(der, in: rest), key.isSequence,
      let algorithm = DERElement(der, in: key.content), algorithm.isSequence
    else { return nil }
    return DERElement.all(der, in: algorithm.content)
  }
}
