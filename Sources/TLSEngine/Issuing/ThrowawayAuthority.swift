import COpenSSL

/// A certificate that was issued here, and its private key.
@safe
package final class IssuedCertificate: @unchecked Sendable {
  // Sendable: neither the certificate nor the key is changed after it was issued.
  /// The certificate, as it was parsed after signing.
  package let certificate: Certificate
  /// `EVP_PKEY`; owned.
  let key: OpaquePointer

  /// Takes over both.
  init(certificate: Certificate, owning key: OpaquePointer) {
    self.certificate = certificate
    unsafe self.key = key
  }

  deinit { unsafe EVP_PKEY_free(key) }

  /// The certificate's DER.
  package var der: [UInt8] {
    unsafe CertificateBytes.encoded { unsafe i2d_X509(certificate.pointer, $0) } ?? []
  }

  /// The DER of its SubjectPublicKeyInfo, for another certificate of the same key.
  package var publicKey: [UInt8] { unsafe CertificateBytes.encoded { unsafe i2d_PUBKEY(key, $0) } ?? [] }

  /// The certificate, PEM.
  package var pem: [UInt8] {
    unsafe IssuingBytes.written { unsafe PEM_write_bio_X509($0, certificate.pointer) }
  }

  /// PKCS #8, PEM.
  package var keyPEM: [UInt8] {
    unsafe IssuingBytes.written { unsafe PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
  }

  /// PKCS #8, PEM, under a passphrase.
  package func encryptedKeyPEM(passphrase: String) -> [UInt8] {
    let bytes = Array(passphrase.utf8)
    return unsafe IssuingBytes.written { bio in
      unsafe PEM_write_bio_PrivateKey(
        bio, key, EVP_aes_256_cbc(), bytes, Int32(clamping: bytes.count), nil, nil)
    }
  }
}

/// Issues certificates for demonstrations and tests: what it signs is only as good as its purpose, since
/// its keys are made on the spot and forgotten with the process.
package enum ThrowawayAuthority {
  /// - Returns: a certificate signed with its own key.
  package static func selfSigned(_ template: CertificateTemplate) throws(IssuingError) -> IssuedCertificate {
    try issue(template, by: nil)
  }

  /// - Parameter issuer: signs it; whether it may is for the verifier to find out. nil: it signs itself.
  package static func issue(
    _ template: CertificateTemplate, by issuer: IssuedCertificate?
  ) throws(IssuingError) -> IssuedCertificate {
    ERR_clear_error()
    let key = try unsafe IssuingKeys.generate(template.keyType)
    guard let pointer = unsafe X509_new() else {
      unsafe EVP_PKEY_free(key)
      throw IssuingError("X509_new")
    }
    let issued = unsafe IssuedCertificate(certificate: Certificate(owning: pointer), owning: key)
    try CertificateWriter(template, issued, issuer: issuer).write()
    // A certificate that was built knows less of itself than one that was parsed: parse what was signed.
    guard let parsed = Certificate(der: issued.der), unsafe EVP_PKEY_up_ref(key) == 1 else {
      throw IssuingError("d2i_X509")
    }
    return unsafe IssuedCertificate(certificate: parsed, owning: key)
  }
}

/// OpenSSL could not make what a template asks for.
package struct IssuingError: Error, Hashable, Sendable {
  /// The step that failed and OpenSSL's reason.
  package var message: String

  init(_ step: String) {
    message = "\(step): \(OpenSSLErrors.sentence(OpenSSLErrors.drain()))"
  }
}

enum IssuingBytes {
  /// What `write` puts into a memory BIO; empty where it fails.
  static func written(_ write: (OpaquePointer) -> Int32) -> [UInt8] {
    guard let bio = unsafe BIO_new(BIO_s_mem()) else { return [] }
    defer { unsafe BIO_free(bio) }
    var start: UnsafeMutablePointer<CChar>?
    guard unsafe write(bio) == 1 else { return [] }
    let count = unsafe shim_BIO_get_mem_data(bio, &start)
    return unsafe UnsafeBufferPointer(start: start, count: count).map { UInt8(bitPattern: $0) }
  }
}

enum IssuingKeys {
  /// - Returns: `EVP_PKEY`; the caller owns it.
  static func generate(_ type: CertificateTemplate.KeyType) throws(IssuingError) -> OpaquePointer {
    let key =
      switch type {
      case .p256: unsafe shim_EVP_EC_gen("P-256")
      case .p384: unsafe shim_EVP_EC_gen("P-384")
      case .p521: unsafe shim_EVP_EC_gen("P-521")
      case .ed25519: unsafe shim_EVP_ED25519_gen()
      case .rsa(let bits): unsafe shim_EVP_RSA_gen(bits)
      }
    guard let key = unsafe key else { throw IssuingError("key generation") }
    return unsafe key
  }
}
