package import AccessPolicy
import COpenSSL

/// An entry of a CRL that is to be issued.
package struct RevokedEntry: Sendable {
  /// The octets of the serial number, a positive one, without leading zeros.
  package var serial: [UInt8]
  /// A CRLReason (RFC 5280 §5.3.1); nil leaves the extension out.
  package var reason: UInt8?
  /// Written as they are, behind the reason.
  package var extensions: [IssuedExtension] = []

  /// - Parameter serial: the octets of the serial number, a positive one.
  package init(_ serial: [UInt8], reason: UInt8? = nil, extensions: [IssuedExtension] = []) {
    self.serial = serial
    self.reason = reason
    self.extensions = extensions
  }
}

/// What a CRL that is to be issued says.
package struct RevocationTemplate: Sendable {
  package var thisUpdate: Timestamp
  /// nil leaves it out, against RFC 5280 §5.1.2.5.
  package var nextUpdate: Timestamp?
  package var entries: [RevokedEntry] = []
  /// Written as they are.
  package var extensions: [IssuedExtension] = []
  /// Which digest signs it; Ed25519 has its own.
  package var digest = "SHA256"

  /// A CRL without entries.
  package init(thisUpdate: Timestamp, nextUpdate: Timestamp?) {
    self.thisUpdate = thisUpdate
    self.nextUpdate = nextUpdate
  }
}

extension ThrowawayAuthority {
  /// - Parameters:
  ///   - issuer: whose name the CRL bears.
  ///   - signer: whose key signs it, whether it may or not; the issuer's where there is none.
  /// - Returns: the CRL's DER.
  package static func revoke(
    _ template: RevocationTemplate, by issuer: IssuedCertificate, signedBy signer: IssuedCertificate? = nil
  ) throws(IssuingError) -> [UInt8] {
    let key = unsafe (signer ?? issuer).key
    let name = unsafe CertificateBytes.encoded {
      unsafe i2d_X509_NAME(X509_get_subject_name(issuer.certificate.pointer), $0)
    }
    // What is signed is written here, so that a CRL can say what OpenSSL would not write; the algorithm is
    // taken from a CRL that OpenSSL signs.
    let algorithm = try unsafe SignedBytes.algorithm(key, digest: template.digest)
    let entries = template.entries.flatMap(entry)
    let signed = DER.sequence(
      DER.integer(1), algorithm, name ?? [], time(template.thisUpdate), template.nextUpdate.map(time) ?? [],
      entries.isEmpty ? [] : DER.element(0x30, entries),
      template.extensions.isEmpty
        ? [] : DER.tagged(0, extensions(template.extensions), constructed: true))
    let signature = try unsafe SignedBytes.signature(signed, key, digest: template.digest)
    return DER.sequence(signed, algorithm, DER.element(0x03, [0] + signature))
  }

  private static func entry(_ entry: RevokedEntry) -> [UInt8] {
    let reason = entry.reason.map { [IssuedExtension("2.5.29.21", DER.element(0x0a, [$0]))] } ?? []
    let list = reason + entry.extensions
    let padded = (entry.serial.first ?? 0) >= 0x80 ? [0] + entry.serial : entry.serial
    return DER.sequence(
      DER.element(0x02, padded), DER.element(0x17, Array("260101000000Z".utf8)),
      list.isEmpty ? [] : extensions(list))
  }

  private static func extensions(_ list: [IssuedExtension]) -> [UInt8] {
    DER.element(
      0x30,
      list.flatMap { item in
        DER.sequence(
          DER.identifier(item.type), item.critical ? DER.boolean(true) : [], DER.octets(item.value))
      })
  }

  /// GeneralizedTime, which RFC 5280 §5.1.2.4 wants from 2050 on only, and which every reader takes.
  private static func time(_ time: Timestamp) -> [UInt8] {
    let digits = time.rfc3339.filter(\.isNumber).prefix(14)
    return DER.element(0x18, Array(digits.utf8) + [UInt8(ascii: "Z")])
  }
}

/// Signatures over bytes that are written here.
private enum SignedBytes {
  static func signature(
    _ bytes: [UInt8], _ key: OpaquePointer, digest: String
  ) throws(IssuingError) -> [UInt8] {
    guard let context = unsafe EVP_MD_CTX_new() else { throw IssuingError("EVP_MD_CTX_new") }
    defer { unsafe EVP_MD_CTX_free(context) }
    let method = unsafe isDigestless(key) ? nil : EVP_get_digestbyname(digest)
    var size = 0
    guard unsafe EVP_DigestSignInit(context, nil, method, nil, key) == 1,
      unsafe EVP_DigestSign(context, nil, &size, bytes, bytes.count) == 1
    else { throw IssuingError("EVP_DigestSign") }
    var signature = [UInt8](repeating: 0, count: size)
    guard unsafe EVP_DigestSign(context, &signature, &size, bytes, bytes.count) == 1 else {
      throw IssuingError("EVP_DigestSign")
    }
    return Array(signature.prefix(size))
  }

  /// The DER of the AlgorithmIdentifier that OpenSSL writes beside such a signature.
  static func algorithm(_ key: OpaquePointer, digest: String) throws(IssuingError) -> [UInt8] {
    guard let crl = unsafe X509_CRL_new() else { throw IssuingError("X509_CRL_new") }
    defer { unsafe X509_CRL_free(crl) }
    let method = unsafe isDigestless(key) ? nil : EVP_get_digestbyname(digest)
    var algorithm: UnsafePointer<X509_ALGOR>?
    guard unsafe X509_CRL_sign(crl, key, method) > 0 else { throw IssuingError("X509_CRL_sign") }
    unsafe X509_CRL_get0_signature(crl, nil, &algorithm)
    return unsafe CertificateBytes.encoded { unsafe i2d_X509_ALGOR(algorithm, $0) } ?? []
  }

  private static func isDigestless(_ key: OpaquePointer) -> Bool {
    unsafe EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519
  }
}
