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
    let resumption = tls["resumption"].flatMap { findings.flag($0) }
    let revocation = revocation(tls)
    let hostsReader = HostsReader(findings: findings)
    let hosts = tls["hosts"].map(hostsReader.read) ?? []
    let unknown = hostsReader.unknownServerName(tls)
    guard let identity, !authorities.isEmpty else { return nil }
    return ServerTLS(
      identity: identity, clientCA: authorities, revocation: revocation,
      minVersion: version?.value ?? .tls12, alpn: alpn, hosts: hosts, unknownServerName: unknown,
      resumption: resumption ?? true)
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

  private func revocation(_ tls: CheckedMapping) -> Revocation {
    var revocation = Revocation()
    if let node = tls["client_crl"] {
      let files = findings.list(node, of: "file").compactMap { findings.path($0, of: "a CRL file") }
      for (index, file) in files.enumerated()
      where files[..<index].contains(where: { $0.value == file.value }) {
        findings.error(
          at: file.location, "duplicate-file", "the CRL file \(Wording.quote(file.value)) is named twice",
          hint: "name it once")
      }
      revocation.files = files
    }
    revocation.stale = tls["crl_stale"].flatMap(staleCRL) ?? .deny
    revocation.isRequired = tls["crl_required"].flatMap { findings.flag($0) } ?? false
    return revocation
  }

  private func staleCRL(_ node: YAMLNode) -> Revocation.Staleness? {
    guard case .mapping = node.content else {
      return findings.choice(node, of: StaleCRL.self).map { $0.value == .deny ? .deny : .allow }
    }
    let mapping = CheckedMapping(node, ConfigurationSchema.staleCRL, findings)
    return mapping?["allow_for"].flatMap { findings.duration($0) }.map { .allowFor($0) }
  }
}
