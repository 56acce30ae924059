/// The oldest protocol version that a context speaks.
package enum TLSVersion: String, Sendable, CaseIterable {
  case tls12 = "1.2"
  case tls13 = "1.3"
}

/// What a listener shows its clients and asks of them.
package struct ServerContextOptions: Sendable {
  /// Shown to clients that get no host of their own, and by hosts that show nothing else.
  package var identity: IdentityOptions
  /// Whom clients must come from that get no host of their own, or one that says nothing else.
  package var trust: TrustOptions
  /// The oldest version that is spoken.
  package var minVersion: TLSVersion
  /// Protocol names in the order we prefer them; empty: ALPN is not spoken.
  package var alpn: [String]
  /// Whether a client may come without ALPN although there are protocol names.
  package var isProtocolOptional: Bool
  /// Whether clients may resume sessions.
  package var resumes: Bool
  /// The listener's name: sessions of one listener mean nothing to another.
  package var listener: String
  /// What differs by the name that a client asks for.
  package var hosts: [ServerHostOptions] = []
  /// Whether a client is refused that asks for none of the hosts' names, or for no name at all.
  package var refusesUnknownNames = false

  /// Options for one listener.
  package init(
    identity: IdentityOptions, trust: TrustOptions, minVersion: TLSVersion = .tls12, alpn: [String] = [],
    isProtocolOptional: Bool = false, resumes: Bool = true, listener: String
  ) {
    self.identity = identity
    self.trust = trust
    self.minVersion = minVersion
    self.alpn = alpn
    self.isProtocolOptional = isProtocolOptional
    self.resumes = resumes
    self.listener = listener
  }
}

/// What differs for clients that ask for certain names.
package struct ServerHostOptions: Sendable {
  /// In the spelling of ``ServerName``, wildcards with `*.` in front.
  package var names: [String]
  /// nil: the listener's.
  package var identity: IdentityOptions?
  /// nil: the listener's. Its CRLs, and how they are used, hold for all hosts.
  package var bundles: [TrustBundleFile]?

  /// A host of a listener.
  package init(names: [String], identity: IdentityOptions? = nil, bundles: [TrustBundleFile]? = nil) {
    self.names = names
    self.identity = identity
    self.bundles = bundles
  }
}
