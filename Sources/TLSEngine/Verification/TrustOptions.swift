/// Whom a listener, or one of its hosts, believes.
package struct TrustOptions: Sendable {
  /// At least one, in the order of the configuration; every certificate in them is a trust anchor, intermediates
  /// too.
  package var bundles: [TrustBundleFile]
  /// What is known of certificates that were withdrawn.
  package var revocation: RevocationOptions

  /// Trust anchors, and no CRLs unless given.
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

/// One file of trust anchors.
package struct TrustBundleFile: Hashable, Sendable {
  /// The fact `trust_label` of chains that end here; nil: they have none.
  package var label: String?
  /// PEM: certificates only, at least one.
  package var pem: [UInt8]

  /// A bundle with or without a label.
  package init(label: String? = nil, pem: [UInt8]) {
    self.label = label
    self.pem = pem
  }
}

/// Which CRLs hold, and what is asked of them.
package struct RevocationOptions: Sendable {
  /// What holds past a CRL's nextUpdate.
  package enum Staleness: Hashable, Sendable {
    /// The certificates that it speaks of are refused.
    case deny
    /// It is good for so long afterwards.
    case allowFor(Duration)
    /// It is good for ever.
    case allow
  }

  /// The files as they are on disk: DER, or PEM with any number of CRLs.
  package let crls: [[UInt8]]
  /// What holds past a CRL's nextUpdate.
  package var stale: Staleness
  /// Whether a CA without a CRL fails the chain.
  package var isRequired: Bool
  /// Parsed when they are first asked for, and then shared by every verifier that is made of these options.
  let lists: SharedRevocationLists

  /// No CRLs unless given.
  package init(crls: [[UInt8]] = [], stale: Staleness = .deny, isRequired: Bool = false) {
    self.crls = crls
    self.stale = stale
    self.isRequired = isRequired
    lists = SharedRevocationLists(files: crls)
  }
}
