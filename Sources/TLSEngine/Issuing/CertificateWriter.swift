import AccessPolicy
import COpenSSL

/// Fills in and signs one certificate after its template.
struct CertificateWriter {
  private let template: CertificateTemplate
  private let issued: IssuedCertificate
  private let issuer: IssuedCertificate?
  private var certificate: OpaquePointer { unsafe issued.certificate.pointer }

  init(_ template: CertificateTemplate, _ issued: IssuedCertificate, issuer: IssuedCertificate?) {
    self.template = template
    self.issued = issued
    self.issuer = issuer
  }

  func write() throws(IssuingError) {
    // RFC 5280 §4.1.2.1: the version is one less than its name.
    try check(unsafe X509_set_version(certificate, 2), "X509_set_version")
    try writeSerial()
    try writeName()
    try unsafe writeTime(X509_getm_notBefore(certificate), template.notBefore)
    try unsafe writeTime(X509_getm_notAfter(certificate), template.notAfter)
    try writeKey()
    for (index, item) in extensions().enumerated() { try add(item, at: index) }
    try sign()
  }

  private func check(_ result: Int32, _ step: String) throws(IssuingError) {
    if result <= 0 { throw IssuingError(step) }
  }

  private func writeSerial() throws(IssuingError) {
    var octets = template.serial
    if octets.isEmpty {
      octets = [UInt8](repeating: 0, count: 16)
      try check(unsafe RAND_bytes(&octets, 16), "RAND_bytes")
      octets[0] = octets[0] & 0x7f | 0x40
    }
    guard let number = unsafe BN_bin2bn(octets, Int32(clamping: octets.count), nil) else {
      throw IssuingError("BN_bin2bn")
    }
    defer { unsafe BN_free(number) }
    unsafe BN_set_negative(number, template.serialIsNegative ? 1 : 0)
    guard let serial = unsafe BN_to_ASN1_INTEGER(number, nil) else {
      throw IssuingError("BN_to_ASN1_INTEGER")
    }
    defer { unsafe ASN1_INTEGER_free(serial) }
    try check(unsafe X509_set_serialNumber(certificate, serial), "X509_set_serialNumber")
  }

  private func writeName() throws(IssuingError) {
    guard let name = unsafe X509_NAME_new() else { throw IssuingError("X509_NAME_new") }
    defer { unsafe X509_NAME_free(name) }
    for attribute in template.subject {
      guard let type = unsafe OBJ_txt2obj(attribute.type, 1) else { throw IssuingError("OBJ_txt2obj") }
      defer { unsafe ASN1_OBJECT_free(type) }
      let count = Int32(clamping: attribute.bytes.count)
      let result = unsafe X509_NAME_add_entry_by_OBJ(
        name, type, attribute.stringType.rawValue, attribute.bytes, count, -1, attribute.sameSet ? -1 : 0)
      try check(result, "X509_NAME_add_entry_by_OBJ")
    }
    try check(unsafe X509_set_subject_name(certificate, name), "X509_set_subject_name")
    let issuerName = unsafe issuer.map { unsafe X509_get_subject_name($0.certificate.pointer) } ?? name
    try check(unsafe X509_set_issuer_name(certificate, issuerName), "X509_set_issuer_name")
  }

  private func writeKey() throws(IssuingError) {
    guard let given = template.publicKey else {
      return try check(unsafe X509_set_pubkey(certificate, issued.key), "X509_set_pubkey")
    }
    let key = unsafe given.withUnsafeBufferPointer { buffer -> OpaquePointer? in
      var cursor = buffer.baseAddress
      return unsafe d2i_PUBKEY(nil, &cursor, buffer.count)
    }
    defer { unsafe EVP_PKEY_free(key) }
    try check(unsafe X509_set_pubkey(certificate, key), "X509_set_pubkey")
  }

  private func writeTime(_ field: UnsafeMutablePointer<ASN1_TIME>?, _ time: Timestamp) throws(IssuingError) {
    // RFC 5280 §4.1.2.5: UTCTime until 2049, then GeneralizedTime; ASN1_TIME_set chooses so.
    guard unsafe ASN1_TIME_set(field, Int(time.seconds)) != nil else { throw IssuingError("ASN1_TIME_set") }
  }

  private func add(_ item: IssuedExtension, at index: Int) throws(IssuingError) {
    guard let type = unsafe OBJ_txt2obj(item.type, 1), let value = unsafe ASN1_OCTET_STRING_new() else {
      throw IssuingError("OBJ_txt2obj")
    }
    defer {
      unsafe ASN1_OBJECT_free(type)
      unsafe ASN1_OCTET_STRING_free(value)
    }
    try check(
      unsafe ASN1_OCTET_STRING_set(value, item.value, Int32(clamping: item.value.count)), "OCTET STRING")
    guard let made = unsafe X509_EXTENSION_create_by_OBJ(nil, type, item.critical ? 1 : 0, value) else {
      throw IssuingError("X509_EXTENSION_create_by_OBJ")
    }
    defer { unsafe X509_EXTENSION_free(made) }
    try check(unsafe X509_add_ext(certificate, made, Int32(clamping: index)), "X509_add_ext")
  }

  private func sign() throws(IssuingError) {
    let key = unsafe issuer?.key ?? issued.key
    let digestless = unsafe EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519
    let digest = unsafe digestless ? nil : EVP_get_digestbyname(template.digest)
    try check(unsafe X509_sign(certificate, key, digest), "X509_sign")
  }

  private func extensions() -> [IssuedExtension] {
    var list: [IssuedExtension] = []
    if let isCA = template.isCA {
      let length = template.pathLength.map { DER.integer($0) } ?? []
      let value = DER.sequence(isCA ? DER.boolean(true) : [], length)
      list.append(IssuedExtension("2.5.29.19", critical: true, value))
    }
    if let usage = template.keyUsage {
      let bits: [UInt8] = [UInt8(usage.rawValue >> 8)]
      let unused = UInt8(truncatingIfNeeded: bits[0].trailingZeroBitCount) & 7
      list.append(IssuedExtension("2.5.29.15", critical: true, DER.element(0x03, [unused] + bits)))
    }
    if let purposes = template.extendedKeyUsage {
      list.append(IssuedExtension("2.5.29.37", DER.element(0x30, purposes.flatMap { DER.identifier($0) })))
    }
    if !template.alternativeNames.isEmpty {
      let names = template.alternativeNames.flatMap(\.der)
      list.append(
        IssuedExtension("2.5.29.17", critical: template.subject.isEmpty, DER.element(0x30, names)))
    }
    return list + keyIdentifiers() + template.extensions
  }

  private func keyIdentifiers() -> [IssuedExtension] {
    if template.omitsKeyIdentifiers { return [] }
    var list: [IssuedExtension] = []
    if let own = unsafe Self.keyIdentifier(issued.key) {
      list.append(IssuedExtension("2.5.29.14", DER.octets(own)))
    }
    if let issuer, let its = unsafe Self.keyIdentifier(issuer.key) {
      list.append(IssuedExtension("2.5.29.35", DER.sequence(DER.tagged(0, its))))
    }
    return list
  }

  /// The leftmost 160 bits of a SHA-256 over the SubjectPublicKeyInfo (RFC 7093 §2, method 4).
  private static func keyIdentifier(_ key: OpaquePointer) -> [UInt8]? {
    unsafe CertificateBytes.encoded { unsafe i2d_PUBKEY(key, $0) }.map { Array(SHA256.hash($0).prefix(20)) }
  }
}
