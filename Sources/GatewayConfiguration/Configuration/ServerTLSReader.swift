import AccessPolicy

/// Reads a listener's `tls`.
struct ServerTLSReader {
  private enum StaleCRL: String, CaseIterable { case deny, allow }

  let findings: Findings

  func read(_ node: YAMLNode) -> ServerTLS? {
    guard let tls = CheckedMapping(node, ConfigurationSchema.serverTLS, findings) else { return nil }
    let identity = IdentityReader(findings: findings).read(tls, isNeeded: true)
    let authorities = tls["client_ca"].map { ClientCAReader(findings: findings).read($0) } ?? []
    let version = tls["min_version"].flatMap { findings.choice($0, of: ServerTLS.Version.self) }
    let alpn = tls["alpn"].map(alpn) ?? []
    readRevocation(tls)
    let hostsReader = HostsReader(findings: findings)
    let hosts = tls["hosts"].map(hostsReader.read) ?? []
    let unknown = hostsReader.unknownServerName(tls)
    guard let identity, !authorities.isEmpty else { return nil }
    return ServerTLS(
      identity: identity, clientCA: authorities, minVersion: version?.value ?? .tls12, alpn: alpn,
      hosts: hosts, unknownServerName: unknown)
  }

  /// Protocol names as in RFC 7301 §3.1: 1 to 255 bytes each, at most 65535 with their length bytes.
  private func alpn(_ node: YAMLNode) -> [String] {
    if case .sequence(let items) = node.content, items.isEmpty { return [] }
    let names = findings.texts(node, of: "protocol name")
    for name in names where name.value.utf8.count > 255 {
      findings.error(
        at: name.location, "out-of-range",
        "the protocol name has \(name.value.utf8.count) bytes, at most 255 are possible")
    }
    findings.duplicates(names, of: "protocol name")
    if names.reduce(0, { $0 + $1.value.utf8.count + 1 }) > 65535 {
      findings.error(at: node.mark, "out-of-range", "the protocol names have more than 65535 bytes together")
    }
    return names.map(\.value)
  }

  private func readRevocation(_ tls: CheckedMapping) {
    if let node = tls["client_crl"] {
      for file in findings.list(node, of: "file") { _ = findings.path(file, of: "a CRL file") }
      findings.notAvailable(at: tls.mark(of: "client_crl"), "client_crl")
    }
    if let node = tls["crl_stale"] {
      staleCRL(node)
      findings.notAvailable(at: tls.mark(of: "crl_stale"), "crl_stale")
    }
    // `false` is what holds without CRLs; `true` would refuse every client.
    if let node = tls["crl_required"], findings.flag(node) == true {
      findings.notAvailable(at: tls.mark(of: "crl_required"), "crl_required: true")
    }
  }

  private func staleCRL(_ node: YAMLNode) {
    guard case .mapping = node.content else {
      _ = findings.choice(node, of: StaleCRL.self)
      return
    }
    let mapping = CheckedMapping(node, ConfigurationSchema.staleCRL, findings)
    _ = mapping?["allow_for"].flatMap { findings.duration($0) }
  }
}
