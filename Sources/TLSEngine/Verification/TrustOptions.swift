/// One file of trust anchors.
package struct TrustBundleFile: Hashable, Sendable {
  /// The fact `trust_label` of chains that end here; nil: they have none.
  package var label: String?
  /// PEM: every certificate in it is a trust anchor, intermediates too.
  package var pem: [UInt8]

  /// A bundle with or without a label.
  package init(label: String? = nil, pem: [UInt8]) {
    self.label = label
    self.pem = pem
  }
}

/// What is known of revoked certificates, and what holds where too little is.
package struct RevocationOptions: Hashable, Sendable {
  /// What holds past a CRL's nextUpdate.
  package enum Stale: Hashable, Sendable { case deny, allowFor(Duration), allow }

  /// PEM or DER.
  package var crls: [[UInt8]]
  /// What holds past a CRL's nextUpdate.
  package var stale: Stale
  /// Whether a CA without a CRL fails the chain.
  package var isRequired: Bool

  /// Without CRLs nothing is looked up.
  package init(crls: [[UInt8]] = [], stale: Stale = .deny, isRequired: Bool = false) {
    self.crls = crls
    self.stale = stale
    self.isRequired = isRequired
  }
}

/// Whom a listener, or one of its hosts, believes.
package struct TrustOptions: Hashable, Sendable {
  /// At least one, in the order of the configuration.
  package var bundles: [TrustBundleFile]
  /// CRLs, and how they are used.
  package var revocation: RevocationOptions

  /// Bundles, and what is known of what their CAs have revoked.
  package init(bundles: [TrustBundleFile], revocation: RevocationOptions = RevocationOptions()) {
    self.bundles = bundles
    self.revocation = revocation
  }

  /// Names what is trusted: anchors, labels, CRLs and how they are used. What was verified under one version
  /// says nothing under another.
  var version: [UInt8] {
    var text = Array("\(revocation.stale) \(revocation.isRequired)\n".utf8)
    for bundle in bundles { text += Array("\(bundle.label ?? "")\n".utf8) + SHA256.hash(bundle.pem) }
    text += Array("\ncrls\n".utf8)
    for crl in revocation.crls { text += SHA256.hash(crl) }
    return SHA256.hash(text)
  }
}
