import AccessPolicy

/// Reads the keys that say which certificate the gateway shows, of a listener, a host or an upstream.
struct IdentityReader {
  /// The keys of all three.
  static let keys: [Schema.Key] = [
    .optional("certificate"), .optional("private_key"), .optional("private_key_passphrase"),
    .optional("pkcs12"),
  ]

  let findings: Findings

  /// - Parameter isNeeded: whether there must be a certificate.
  func read(_ mapping: CheckedMapping, isNeeded: Bool) -> IdentityFiles? {
    let certificates = mapping["certificate"].map { files($0, of: "a PEM file") }
    let keys = mapping["private_key"].map { files($0, of: "a PEM file") }
    let pkcs12 = mapping["pkcs12"].map { findings.path($0, of: "a PKCS #12 file") }
    let passphrase = mapping["private_key_passphrase"].flatMap { findings.path($0, of: "a passphrase file") }
    let responses = mapping["ocsp_response"].map { files($0, of: "an OCSP response") } ?? []
    checkPairing(mapping, isNeeded: isNeeded)
    let source: IdentityFiles.Source
    if let pkcs12 {
      guard let file = pkcs12 else { return nil }
      source = .pkcs12(file)
    } else {
      guard let certificates, let keys, !certificates.isEmpty, !keys.isEmpty,
        isComplete(mapping, certificates, keys)
      else { return nil }
      source = .pem(certificates: certificates, privateKeys: keys)
    }
    return IdentityFiles(source: source, passphrase: passphrase, ocspResponses: responses)
  }

  private func files(_ node: YAMLNode, of what: String) -> [Located<String>] {
    findings.list(node, of: "file").compactMap { findings.path($0, of: what) }
  }

  /// Files that cannot be read are missing in the lists, so that only whole lists are compared.
  private func isComplete(
    _ mapping: CheckedMapping, _ certificates: [Located<String>], _ keys: [Located<String>]
  ) -> Bool {
    guard certificates.count != keys.count, !findings.hasErrors else { return true }
    findings.error(
      at: mapping.mark(of: "private_key"), "count-mismatch",
      "certificate names \(certificates.count) and private_key \(keys.count) of them",
      hint: "each certificate has a key of its own; the order does not matter")
    return false
  }

  private func checkPairing(_ mapping: CheckedMapping, isNeeded: Bool) {
    let noun = mapping.schema.noun
    let hasPEM = mapping["certificate"] != nil || mapping["private_key"] != nil
    if mapping["pkcs12"] != nil {
      if hasPEM {
        findings.error(
          at: mapping.mark(of: "pkcs12"), "contradiction",
          "pkcs12 holds a certificate and its key, and others are named beside it",
          hint: "remove certificate and private_key, or pkcs12")
      }
    } else if isNeeded {
      for key in ["certificate", "private_key"] where mapping[key] == nil {
        findings.error(at: mapping.mark, "missing-key", "\(noun) needs the key \"\(key)\"")
      }
    } else {
      for (key, other) in [("certificate", "private_key"), ("private_key", "certificate")]
      where mapping[key] != nil && mapping[other] == nil {
        findings.error(
          at: mapping.mark(of: key), "missing-key", "\(noun) with \(key) needs the key \"\(other)\" too")
      }
      for key in ["private_key_passphrase", "ocsp_response"]
      where mapping[key] != nil && !hasPEM && mapping["pkcs12"] == nil {
        findings.error(
          at: mapping.mark(of: key), "missing-key",
          "\(noun) with \(key) needs the certificate and the key that it belongs to")
      }
    }
  }
}
