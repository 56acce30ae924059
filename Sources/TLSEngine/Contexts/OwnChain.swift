import COpenSSL

/// Certificates of our own in a PEM file, and what must be true of them.
enum OwnChain {
  /// - Parameter pem: the leaf first. Keys and parameters in the same file are passed over.
  /// - Returns: at least one certificate.
  static func read(_ pem: [UInt8]) throws(TLSConfigurationError) -> [Certificate] {
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

  static func judge(_ chain: [Certificate], file: Int) throws(TLSConfigurationError) {
    do throws(TLSConfigurationError) {
      try checkOrder(chain)
      for certificate in chain { try checkStrength(certificate) }
    } catch { throw error.of(file: file) }
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
}
