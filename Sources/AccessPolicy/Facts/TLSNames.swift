/// How the facts of TLS are spelled.
package enum TLSNames {
  /// The cipher suites that are ever negotiated, by the names of the IANA registry.
  package static let ciphers = [
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
  ]

  /// The common groups; later versions of OpenSSL have more.
  static let groups = ["x25519", "secp256r1", "secp384r1", "secp521r1", "x448"]

  /// Other names for these, which OpenSSL does not give.
  private static let otherGroups: Set<String> = [
    "p-256", "p-384", "p-521", "p256", "p384", "p521", "prime256v1", "curve25519",
  ]

  /// Whether a group may be called so.
  @Sendable static func isGroup(_ text: String) -> Bool {
    let small = text.lowercased()
    return !otherGroups.contains(small) && (!groups.contains(small) || small == text)
  }

  /// The common types; others are OpenSSL's names in small letters.
  package static let keyTypes = ["ec", "rsa", "rsa-pss", "ed25519", "ed448"]

  /// Whether the type of a key may be called so.
  @Sendable static func isKeyType(_ text: String) -> Bool {
    text != "ecdsa" && !text.contains { $0.isUppercase }
  }
}

/// The usages of extendedKeyUsage that have a name here.
package enum ExtendedKeyUsage {
  /// By their OIDs, with the names of RFC 5280 §4.2.1.12.
  private static let byOID: [String: String] = [
    "1.3.6.1.5.5.7.3.1": "serverAuth", "1.3.6.1.5.5.7.3.2": "clientAuth", "1.3.6.1.5.5.7.3.3": "codeSigning",
    "1.3.6.1.5.5.7.3.4": "emailProtection", "1.3.6.1.5.5.7.3.8": "timeStamping",
    "1.3.6.1.5.5.7.3.9": "OCSPSigning", "2.5.29.37.0": "anyExtendedKeyUsage",
  ]

  static let names = byOID.sorted { $0.key < $1.key }.map(\.value)

  /// A usage as the fact `eku` spells it: by its name where it has one, else dotted.
  package static func written(_ oid: String) -> String { byOID[oid] ?? oid }

  /// Whether a usage may be spelled so.
  @Sendable static func isWritten(_ text: String) -> Bool {
    if names.contains(text) { return true }
    let arcs = text.split(separator: ".", omittingEmptySubsequences: false)
    return arcs.count > 1 && byOID[text] == nil
      && arcs.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
  }
}
