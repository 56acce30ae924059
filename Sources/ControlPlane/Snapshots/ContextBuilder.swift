import AccessPolicy
import DataPlane
import GatewayConfiguration
import TLSEngine

/// Makes a listener's TLS context, hosts and all, of its files.
struct ContextBuilder {
  let listener: Listener
  let material: TLSMaterial
  let policy: Policy

  /// - Returns: nil where a finding is an error.
  func build(now: Timestamp, _ findings: inout [Diagnostic]) -> ServerContext? {
    guard let options else { return nil }
    let (context, errors) = ServerContext.load(options)
    // What the listener and its hosts share is wrong once.
    findings += Self.once(
      errors.map {
        Diagnostic(
          .error, at: place($0.subject, $0.file, $0.host).location, code: $0.code,
          message: "\(place($0.subject, $0.file, $0.host).value): \($0.message)", hint: $0.hint)
      })
    guard let context else { return nil }
    findings += context.findings(at: now).map {
      Diagnostic(
        .warning, at: place($0.subject, $0.file, $0.host).location, code: $0.code,
        message: "\(place($0.subject, $0.file, $0.host).value): \($0.message)", hint: $0.hint)
    }
    findings += sharedAuthorities(context)
    return context
  }

  private var options: ServerContextOptions? {
    guard let identity = material.identity else { return nil }
    var options = ServerContextOptions(
      identity: identity,
      trust: TrustOptions(
        bundles: material.clientCA,
        revocation: SnapshotBuilder.revocation(listener.tls.revocation, material)),
      minVersion: listener.tls.minVersion == .tls12 ? .tls12 : .tls13, alpn: alpn,
      isProtocolOptional: isALPNOptional,
      resumes: listener.tls.resumption, listener: listener.name.value)
    options.hosts = zip(listener.tls.hosts, material.hosts).map { host, material in
      ServerHostOptions(
        names: host.serverNames.map(\.value), identity: material.identity, bundles: material.clientCA)
    }
    options.refusesUnknownNames = listener.tls.unknownServerName == .refuse
    return options
  }

  /// Clients of Postgres that begin with TLS at once must name its protocol; those that ask for TLS first may.
  private var alpn: [String] {
    guard listener.wireProtocol == .postgres else { return listener.tls.alpn }
    let own = ListenerSnapshot.postgresProtocol
    return [own] + listener.tls.alpn.filter { $0 != own }
  }

  private var isALPNOptional: Bool { listener.wireProtocol == .postgres && listener.tls.alpn.isEmpty }

  /// Each once, however many hosts trust it.
  private func sharedAuthorities(_ context: ServerContext) -> [Diagnostic] {
    var findings: [Diagnostic] = []
    for host in [context.ownHost] + context.hosts {
      for anchor in host.verifier.anchors {
        findings += policy.sharedAuthorityFindings(
          PeerCertificate.facts(anchor.certificate), label: anchor.label, listener: listener.name.value)
      }
    }
    return Self.once(findings)
  }

  /// The file that a finding is about, and where the configuration names it.
  private func place(
    _ subject: TLSConfigurationError.Subject, _ file: Int, _ host: Int?
  ) -> Located<String> {
    let own = host.map { listener.tls.hosts[$0] }
    let identity = own?.identity ?? listener.tls.identity
    let authorities = own?.clientCA ?? listener.tls.clientCA
    let whole = Located("listener \(listener.name.value)", at: listener.name.location)
    switch subject {
    case .certificate, .pkcs12: return identity.certificate(file)
    case .privateKey: return identity.privateKey(file)
    case .passphrase: return identity.passphrase ?? identity.privateKey(0)
    case .ocspResponse: return Self.at(file, identity.ocspResponses) ?? identity.certificate(0)
    case .clientCA: return Self.at(file, authorities)?.file ?? whole
    case .clientCRL: return Self.at(file, listener.tls.revocation.files) ?? whole
    // The certificate may be the listener's: the names are what is odd here.
    case .serverName:
      return own?.serverNames.first.map { Located(identity.certificate(file).value, at: $0.location) }
        ?? whole
    case .alpn, .library: return whole
    }
  }

  private static func once(_ findings: [Diagnostic]) -> [Diagnostic] {
    findings.reduce(into: []) { all, finding in
      if !all.contains(finding) { all.append(finding) }
    }
  }

  private static func at<Element>(_ position: Int, _ list: [Element]) -> Element? {
    list.indices.contains(position) ? list[position] : nil
  }
}
