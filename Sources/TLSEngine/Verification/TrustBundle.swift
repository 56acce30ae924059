import COpenSSL

/// Reads the file of trust anchors. What stands there decides who gets in, so nothing in it is passed over.
enum TrustBundle {
  /// - Returns: at least one certificate; twins are kept once.
  static func certificates(_ pem: [UInt8]) throws(TLSConfigurationError) -> [Certificate] {
    guard let blocks = PEMReader.blocks(pem) else {
      throw TLSConfigurationError(
        .clientCA, "pem-broken", "a PEM block is broken: its base64 text or its END line is wrong",
        hint: "copy the file again; each certificate ends with -----END CERTIFICATE-----")
    }
    guard !blocks.isEmpty else {
      throw TLSConfigurationError(
        .clientCA, "no-certificate", "no PEM certificate was found, and an empty bundle trusts nobody",
        hint: "put the CA's certificate there; openssl x509 -inform DER -in ca.der turns DER into PEM")
    }
    var certificates: [Certificate] = []
    var seen: Set<[UInt8]> = []
    for (index, block) in blocks.enumerated() {
      guard block.isCertificate else { throw unexpected(block) }
      guard let certificate = Certificate(der: block.bytes) else {
        throw TLSConfigurationError(
          .clientCA, "certificate-malformed", "certificate \(index + 1) cannot be parsed")
      }
      if seen.insert(block.bytes).inserted { certificates.append(certificate) }
    }
    return certificates
  }

  private static func unexpected(_ block: PEMBlock) -> TLSConfigurationError {
    switch block.label {
    case "TRUSTED CERTIFICATE":
      TLSConfigurationError(
        .clientCA, "trusted-certificate", "OpenSSL's TRUSTED CERTIFICATE with its own trust settings",
        hint: "write it as a plain certificate: openssl x509 -in FILE -out ca.pem")
    case _ where block.isPrivateKey:
      TLSConfigurationError(
        .clientCA, "private-key", "a private key (\(block.label)) among the trust anchors",
        hint: "take it out: the key of a CA does not belong on this machine")
    default:
      TLSConfigurationError(
        .clientCA, "unexpected-block", "a PEM block \"\(block.label)\", expected CERTIFICATE only")
    }
  }
}

extension TLSConfigurationError {
  static var outOfMemory: TLSConfigurationError {
    TLSConfigurationError(.library, "out-of-memory", "OpenSSL could not allocate what it needs")
  }
}
