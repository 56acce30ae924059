import AccessPolicy

/// Loads what a listener and its hosts show and trust, and goes on behind an error, so that all of them are
/// found at once.
struct HostLoading {
  private let options: ServerContextOptions
  private(set) var errors: [TLSConfigurationError] = []

  init(_ options: ServerContextOptions) { self.options = options }

  /// What a host shows and whom it trusts; nil where that is wrong.
  private struct Parts {
    var identities: [OwnIdentity]?
    var shown: [UInt8]
    var verifier: ChainVerifier?
    var trustVersion: [UInt8]
  }

  /// - Returns: nil where there are errors.
  mutating func run() -> (own: ServerHost, hosts: [ServerHost])? {
    let own = Parts(
      identities: identities(options.identity, host: nil), shown: options.identity.version,
      verifier: verifier(options.trust, host: nil), trustVersion: options.trust.version)
    let listener = make(own, names: [], host: nil)
    var hosts: [ServerHost] = []
    for (index, host) in options.hosts.enumerated() {
      var parts = own
      if let identity = host.identity {
        parts.identities = identities(identity, host: index)
        parts.shown = identity.version
      }
      if let bundles = host.bundles {
        let trust = TrustOptions(bundles: bundles, revocation: options.trust.revocation)
        parts.verifier = verifier(trust, host: index)
        parts.trustVersion = trust.version
      }
      if let made = make(parts, names: host.names, host: index) { hosts.append(made) }
    }
    guard let listener, errors.isEmpty else { return nil }
    return (listener, hosts)
  }

  private mutating func identities(_ identity: IdentityOptions, host: Int?) -> [OwnIdentity]? {
    do throws(TLSConfigurationError) {
      return try IdentityLoader(isJudging: true).load(identity)
    } catch {
      errors.append(error.of(host: host))
      return nil
    }
  }

  private mutating func verifier(_ trust: TrustOptions, host: Int?) -> ChainVerifier? {
    do throws(TLSConfigurationError) {
      return try ChainVerifier(trust)
    } catch {
      errors.append(error.of(host: host))
      return nil
    }
  }

  private mutating func make(_ parts: Parts, names: [String], host: Int?) -> ServerHost? {
    guard let identities = parts.identities, let verifier = parts.verifier else { return nil }
    do throws(TLSConfigurationError) {
      return try ServerHost(
        options, names: names, identities: identities, shown: parts.shown, verifier: verifier,
        trustVersion: parts.trustVersion)
    } catch {
      errors.append(error.of(host: host))
      return nil
    }
  }
}
