import COpenSSL

/// Makes identities of files: certificates and keys are matched, and judged before anyone sees them.
struct IdentityLoader {
  /// Whether chains must be in order and strong; what a client shows is for its server to judge.
  let isJudging: Bool

  /// - Returns: at least one, each with a type of key of its own.
  func load(_ options: IdentityOptions) throws(TLSConfigurationError) -> [OwnIdentity] {
    var identities: [OwnIdentity]
    if let file = options.pkcs12 {
      let contents = try PKCS12File(der: file, passphrase: options.passphrase)
      identities = [OwnIdentity(chain: contents.chain, key: contents.key, file: 0)]
    } else {
      identities = try matched(options)
    }
    if isJudging {
      for identity in identities { try OwnChain.judge(identity.chain, file: identity.file) }
    }
    try checkTypes(identities)
    for (position, response) in options.ocspResponses.enumerated() {
      try staple(response, position, to: &identities)
    }
    return identities
  }

  private func matched(_ options: IdentityOptions) throws(TLSConfigurationError) -> [OwnIdentity] {
    var chains: [[Certificate]] = []
    for (position, pem) in options.certificates.enumerated() {
      do throws(TLSConfigurationError) {
        chains.append(try OwnChain.read(pem))
      } catch { throw error.of(file: position) }
    }
    var keys: [PrivateKey] = []
    for (position, pem) in options.privateKeys.enumerated() {
      do throws(TLSConfigurationError) {
        keys.append(try PrivateKey(pem: pem, passphrase: options.passphrase))
      } catch { throw error.of(file: position) }
    }
    return try match(chains, keys)
  }

  private func match(
    _ chains: [[Certificate]], _ keys: [PrivateKey]
  ) throws(TLSConfigurationError) -> [OwnIdentity] {
    let leaves = chains.compactMap(\.first)
    for (position, key) in keys.enumerated() where !leaves.contains(where: key.belongs) {
      throw TLSConfigurationError(
        .privateKey, "key-mismatch",
        leaves.count == 1
          ? "the private key does not belong to the certificate of \(leaves[0].subject)"
          : "the private key belongs to none of the certificates of "
            + leaves.map(\.subject).joined(separator: ", "),
        hint: "the first certificate of the chain must be the one that was issued for this key"
      ).of(file: position)
    }
    var identities: [OwnIdentity] = []
    for (position, chain) in chains.enumerated() {
      guard let leaf = chain.first, let key = keys.first(where: { $0.belongs(to: leaf) }) else {
        throw TLSConfigurationError(
          .certificate, "key-mismatch",
          "no private key belongs to the certificate of \(chain.first?.subject ?? "")",
          hint: "name its key in private_key, too; the order does not matter"
        ).of(file: position)
      }
      identities.append(OwnIdentity(chain: chain, key: key, file: position))
    }
    return identities
  }

  /// OpenSSL holds one certificate for each type; a second one would replace the first without a word.
  private func checkTypes(_ identities: [OwnIdentity]) throws(TLSConfigurationError) {
    var first: [String: OwnIdentity] = [:]
    for identity in identities {
      if let other = first[identity.key.type] {
        throw TLSConfigurationError(
          .certificate, "duplicate-key-type",
          "the certificates of \(other.leaf?.subject ?? "") and \(identity.leaf?.subject ?? "") both have a key "
            + "of type \(identity.key.type)",
          hint:
            "several certificates are for several types of keys, such as EC and RSA; other names are for hosts"
        ).of(file: identity.file)
      }
      first[identity.key.type] = identity
    }
  }

  private func staple(
    _ response: [UInt8], _ position: Int, to identities: inout [OwnIdentity]
  ) throws(TLSConfigurationError) {
    do throws(TLSConfigurationError) {
      let parsed = try OCSPResponse(der: response)
      for index in identities.indices {
        guard let staple = try parsed.staple(for: identities[index].chain, file: position) else { continue }
        guard identities[index].staple == nil else {
          throw TLSConfigurationError(
            .ocspResponse, "duplicate-response",
            "it is another response for the certificate of \(identities[index].leaf?.subject ?? "")",
            hint: "name one of them")
        }
        identities[index].staple = staple
        return
      }
      throw TLSConfigurationError(
        .ocspResponse, "response-mismatch",
        "the OCSP response is not for the certificate of "
          + identities.compactMap { $0.leaf?.subject }.joined(separator: ", "),
        hint: "openssl ocsp -issuer ca.pem -cert server.pem -url URL -respout FILE asks for one")
    } catch { throw error.of(file: position) }
  }
}
