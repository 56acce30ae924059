import AccessPolicy
import COpenSSL

/// The CRLs of one verifier, and what is asked of them.
@safe
struct RevocationSet: Sendable {
  /// By the hash of the issuer's canonical name.
  private let byIssuer: [UInt: [RevocationList]]
  let lists: [RevocationList]
  let stale: RevocationOptions.Staleness
  let isRequired: Bool
  let anchors: [Certificate]

  /// - Throws: where a list bears the name of an anchor, and none of that name signed it or may sign it.
  init(_ options: RevocationOptions, anchors: [Certificate]) throws(TLSConfigurationError) {
    lists = try options.lists.read()
    stale = options.stale
    isRequired = options.isRequired
    self.anchors = anchors
    byIssuer = Dictionary(grouping: lists) { unsafe Self.hash($0.issuer) }
    for list in lists { try Self.check(list, anchors) }
  }

  /// Whether there is nothing to check.
  var isIdle: Bool { lists.isEmpty && !isRequired }

  /// - Parameter name: `X509_NAME`; lent.
  func lists(of name: OpaquePointer?) -> [RevocationList] {
    byIssuer.isEmpty
      ? [] : unsafe (byIssuer[Self.hash(name)] ?? []).filter { unsafe X509_NAME_cmp($0.issuer, name) == 0 }
  }

  /// The anchors of a name.
  static func anchors(_ anchors: [Certificate], called name: OpaquePointer?) -> [Certificate] {
    anchors.filter { unsafe X509_NAME_cmp(X509_get_subject_name($0.pointer), name) == 0 }
  }

  private static func hash(_ name: OpaquePointer?) -> UInt {
    unsafe UInt(X509_NAME_hash_ex(name, nil, nil, nil))
  }

  private static func check(
    _ list: RevocationList, _ anchors: [Certificate]
  ) throws(TLSConfigurationError) {
    let known = unsafe Self.anchors(anchors, called: list.issuer)
    guard !known.isEmpty else { return }
    let signers = known.compactMap { unsafe RevocationSigner($0.pointer) }.filter { list.isSigned(by: $0) }
    guard !signers.isEmpty else {
      throw TLSConfigurationError(
        .clientCRL, "crl-signature",
        "the CRL of \(list.issuerText) is not signed by the CA of that name in "
          + "client_ca", hint: "fetch it from that CA again; a CA with a new key signs new CRLs",
        file: list.file)
    }
    guard signers.contains(where: \.maySign) else {
      throw TLSConfigurationError(
        .clientCRL, "crl-issuer-usage",
        "the CRL of \(list.issuerText): the keyUsage of that CA does not hold cRLSign",
        hint: "issue the CA's certificate with keyUsage keyCertSign and cRLSign", file: list.file)
    }
  }
}
