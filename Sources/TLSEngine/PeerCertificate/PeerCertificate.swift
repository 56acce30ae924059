package import AccessPolicy
import COpenSSL

/// Turns a certificate into facts: plain values, copied by counted length, typed by kind. The parser that
/// verifies the chain is the one that names the peer, so the two cannot disagree about what they read.
package enum PeerCertificate {
  /// - Parameter der: one certificate and nothing behind it.
  /// - Returns: nil where it cannot be parsed.
  package static func facts(der: [UInt8]) -> Facts? { Certificate(der: der).map { facts($0) } }

  /// What a certificate says of itself, verified or not.
  package static func facts(_ certificate: Certificate) -> Facts { unsafe facts(certificate.pointer) }

  /// - Parameter certificate: `X509`; lent.
  static func facts(_ certificate: OpaquePointer) -> Facts {
    var facts = Facts()
    unsafe add(DistinguishedName(X509_get_subject_name(certificate)), subjectFields, .subjectDN, to: &facts)
    unsafe add(DistinguishedName(X509_get_issuer_name(certificate)), issuerFields, .issuerDN, to: &facts)
    unsafe add(AlternativeNames(certificate), to: &facts)
    unsafe addIdentifiers(certificate, to: &facts)
    unsafe addKey(certificate, to: &facts)
    facts[.notBefore] = unsafe CertificateTime.timestamp(X509_get0_notBefore(certificate)).map {
      .instant($0)
    }
    facts[.notAfter] = unsafe CertificateTime.timestamp(X509_get0_notAfter(certificate)).map { .instant($0) }
    return facts
  }

  private static func add(
    _ name: DistinguishedName, _ fields: [(Field, String)], _ whole: Field, to facts: inout Facts
  ) {
    for (field, type) in fields {
      let values = name.values(type)
      if !values.isEmpty { facts[field] = .texts(values) }
    }
    if !name.attributes.isEmpty { facts[whole] = .text(name.text) }
    let place = whole == .subjectDN ? "subject" : "issuer"
    facts.unreadableNames += name.problems.map { UnreadableName(place: place, problem: $0) }
  }

  private static func add(_ names: AlternativeNames, to facts: inout Facts) {
    let texts: [(Field, [String])] = [
      (.sanURI, names.uris), (.sanDNS, names.dnsNames), (.sanEmail, names.emails),
      (.sanUPN, names.userPrincipalNames),
    ]
    for (field, values) in texts where !values.isEmpty { facts[field] = .texts(values) }
    if !names.addresses.isEmpty { facts[.sanIP] = .addresses(names.addresses) }
    facts.unreadableNames += names.unreadable
  }

  private static func addIdentifiers(_ certificate: OpaquePointer, to facts: inout Facts) {
    facts[.serial] = unsafe serial(X509_get0_serialNumber(certificate)).map { .text($0) }
    facts[.sha256] = unsafe CertificateBytes.sha256(certificate).map { .text($0) }
    facts[.spkiSHA256] = unsafe CertificateBytes.publicKeySHA256(certificate).map { .text($0) }
    facts[.ski] = unsafe CertificateBytes.hexadecimal(X509_get0_subject_key_id(certificate)).map { .text($0) }
    facts[.issuerSKI] =
      unsafe CertificateBytes.hexadecimal(X509_get0_authority_key_id(certificate)).map { .text($0) }
    ERR_clear_error()
  }

  private static func addKey(_ certificate: OpaquePointer, to facts: inout Facts) {
    facts[.eku] = unsafe PublicKeyFacts.extendedKeyUsage(certificate).map { .texts($0) }
    guard let key = unsafe PublicKeyFacts.describe(certificate) else { return }
    facts[.keyType] = .text(key.type)
    facts[.keyBits] = .integer(key.bits)
  }

  /// Lowercase hexadecimal of the magnitude, whole octets without the sign octet of DER, as
  /// `openssl x509 -serial` counts them; `-` before a negative one, which RFC 5280 §4.1.2.2 forbids but
  /// which exists.
  private static func serial(_ number: UnsafePointer<ASN1_INTEGER>?) -> String? {
    guard let number = unsafe number, let bytes = unsafe CertificateBytes.copy(number) else { return nil }
    let magnitude = Array(bytes.drop { $0 == 0 })
    let digits = hexadecimal(magnitude.isEmpty ? [0] : magnitude)
    return unsafe ASN1_STRING_type(number) == V_ASN1_NEG_INTEGER ? "-" + digits : digits
  }

  private static let subjectFields: [(Field, String)] = [
    (.subjectCN, AttributeTypes.commonName), (.subjectO, AttributeTypes.organization),
    (.subjectOU, AttributeTypes.organizationalUnit), (.subjectC, AttributeTypes.country),
    (.subjectL, AttributeTypes.locality), (.subjectST, AttributeTypes.state),
    (.subjectDC, AttributeTypes.domainComponent), (.subjectUID, AttributeTypes.userID),
    (.subjectSerialNumber, AttributeTypes.serialNumber),
  ]

  private static let issuerFields: [(Field, String)] = [
    (.issuerCN, AttributeTypes.commonName), (.issuerO, AttributeTypes.organization),
    (.issuerOU, AttributeTypes.organizationalUnit), (.issuerC, AttributeTypes.country),
    (.issuerL, AttributeTypes.locality), (.issuerST, AttributeTypes.state),
    (.issuerDC, AttributeTypes.domainComponent), (.issuerUID, AttributeTypes.userID),
    (.issuerSerialNumber, AttributeTypes.serialNumber),
  ]
}
