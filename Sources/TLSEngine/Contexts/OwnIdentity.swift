import COpenSSL

/// Our own certificate chain and its key, checked once when they are loaded.
@safe
final class OwnIdentity {
  let chain: [Certificate]
  /// `EVP_PKEY`; owned.
  let key: OpaquePointer

  /// - Parameters:
  ///   - chain: PEM, the leaf first. Keys and parameters in the same file are passed over.
  ///   - privateKey: PEM, not encrypted; it must be the leaf's.
  init(chain pem: [UInt8], privateKey: [UInt8]) throws(TLSConfigurationError) {
    let certificates = try Self.certificates(pem)
    try Self.checkOrder(certificates)
    for certificate in certificates { try Self.checkStrength(certificate) }
    chain = certificates
    unsafe key = try Self.key(privateKey)
    ERR_clear_error()
    guard unsafe X509_check_private_key(certificates[0].pointer, key) == 1 else {
      ERR_clear_error()
      throw TLSConfigurationError(
        .privateKey, "key-mismatch",
        "the private key does not belong to the certificate of \(certificates[0].subject)",
        hint: "the first certificate of the chain must be the one that was issued for this key")
    }
  }

  deinit { unsafe EVP_PKEY_free(key) }

  /// Puts the identity into a context; OpenSSL takes references of its own.
  func install(in context: OpaquePointer) throws(TLSConfigurationError) {
    guard let stack = unsafe shim_sk_X509_new_null() else { throw .outOfMemory }
    defer { unsafe shim_sk_X509_free(stack) }
    for certificate in chain.dropFirst() where unsafe shim_sk_X509_push(stack, certificate.pointer) <= 0 {
      throw .outOfMemory
    }
    ERR_clear_error()
    guard unsafe SSL_CTX_use_cert_and_key(context, chain[0].pointer, key, stack, 1) == 1 else {
      throw Self.refused(OpenSSLErrors.drain())
    }
  }

  /// - Returns: at least one certificate.
  private static func certificates(_ pem: [UInt8]) throws(TLSConfigurationError) -> [Certificate] {
    guard let blocks = PEMReader.blocks(pem) else {
      throw TLSConfigurationError(
        .certificate, "pem-broken", "a PEM block is broken: its base64 text or its END line is wrong",
        hint: "copy the file again; each certificate ends with -----END CERTIFICATE-----")
    }
    var certificates: [Certificate] = []
    for block in blocks where !block.isPrivateKey && !block.isParameters {
      guard block.isCertificate else {
        throw TLSConfigurationError(
          .certificate, "unexpected-block", "a PEM block \"\(block.label)\", expected CERTIFICATE")
      }
      guard let certificate = Certificate(der: block.bytes) else {
        throw TLSConfigurationError(
          .certificate, "certificate-malformed", "certificate \(certificates.count + 1) cannot be parsed")
      }
      certificates.append(certificate)
    }
    guard !certificates.isEmpty else {
      throw TLSConfigurationError(
        .certificate, "no-certificate", "no PEM certificate was found",
        hint: blocks.contains(where: \.isPrivateKey)
          ? "the file holds a private key: are certificate and private_key swapped?"
          : "openssl x509 -inform DER -in FILE -out server.pem turns DER into PEM")
    }
    return certificates
  }

  /// TLS wants each certificate to certify the one before it (RFC 5246 §7.4.2), and clients that build no
  /// path of their own need it.
  private static func checkOrder(_ chain: [Certificate]) throws(TLSConfigurationError) {
    for (index, pair) in zip(chain, chain.dropFirst()).enumerated() {
      let issued = unsafe X509_check_issued(pair.1.pointer, pair.0.pointer) == X509_V_OK
      let signed = unsafe issued && X509_verify(pair.0.pointer, X509_get0_pubkey(pair.1.pointer)) == 1
      ERR_clear_error()
      guard signed else {
        throw TLSConfigurationError(
          .certificate, "chain-order",
          "certificate \(index + 1) (\(pair.0.subject)) is not issued by certificate \(index + 2) "
            + "(\(pair.1.subject))",
          hint: "put the leaf first, then each issuer behind what it issued, and nothing else")
      }
    }
  }

  /// Security level 2 for what we show, which OpenSSL 3.0 checks when it is loaded and 3.5 only in part.
  private static func checkStrength(_ certificate: Certificate) throws(TLSConfigurationError) {
    var signatureBits: Int32 = 0
    let key = unsafe X509_get0_pubkey(certificate.pointer)
    let keyBits = unsafe key.map { unsafe EVP_PKEY_get_security_bits($0) } ?? 0
    let known = unsafe X509_get_signature_info(certificate.pointer, nil, nil, &signatureBits, nil) == 1
    let selfSigned = unsafe X509_get_extension_flags(certificate.pointer) & UInt32(EXFLAG_SS) != 0
    ERR_clear_error()
    let weak =
      keyBits < ContextSettings.securityBits
      ? "key" : !selfSigned && (!known || signatureBits < ContextSettings.securityBits) ? "signature" : nil
    guard let weak else { return }
    throw TLSConfigurationError(
      .certificate, "key-too-weak",
      "the \(weak) of the certificate of \(certificate.subject) gives less than "
        + "\(ContextSettings.securityBits) bits of security",
      hint: "use an EC P-256 key, or RSA of at least 2048 bits, and signatures with SHA-256 or better")
  }

  static func key(_ pem: [UInt8]) throws(TLSConfigurationError) -> OpaquePointer {
    var passwordAsked = false
    ERR_clear_error()
    let key = unsafe withMemoryBIO(pem) { bio in
      unsafe withUnsafeMutablePointer(to: &passwordAsked) {
        unsafe PEM_read_bio_PrivateKey(bio, nil, refusePassword, $0)
      }
    }
    let errors = OpenSSLErrors.drain()
    if let key = unsafe key { return unsafe key }
    if passwordAsked {
      throw TLSConfigurationError(
        .privateKey, "key-encrypted",
        "the private key is encrypted, and nobody can be asked for its passphrase",
        hint:
          "decrypt it with openssl pkey -in FILE -out server.key, and keep that readable for the gateway only"
      )
    }
    let blocks = PEMReader.blocks(pem) ?? []
    guard blocks.contains(where: \.isPrivateKey) else {
      throw TLSConfigurationError(
        .privateKey, "no-key", "no PEM private key was found",
        hint: blocks.contains(where: \.isCertificate)
          ? "the file holds a certificate: are certificate and private_key swapped?"
          : "openssl pkey -inform DER -in FILE -out server.key turns DER into PEM")
    }
    throw TLSConfigurationError(
      .privateKey, "key-malformed", "the private key cannot be parsed: \(OpenSSLErrors.sentence(errors))")
  }

  static func refused(_ errors: [OpenSSLError]) -> TLSConfigurationError {
    TLSConfigurationError(
      .certificate, "certificate-refused", "OpenSSL refuses it: \(OpenSSLErrors.sentence(errors))")
  }
}
