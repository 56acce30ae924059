import AccessPolicy

/// Reads a listener's `tls`.
struct ServerTLSReader {
  private enum StaleCRL: String, CaseIterable { case deny, allow }
  private enum UnknownServerName: String, CaseIterable { case `default`, refuse }

  let findings: Findings

  func read(_ node: YAMLNode) -> ServerTLS? {
    guard let tls = CheckedMapping(node, ConfigurationSchema.serverTLS, findings) else { return nil }
    let certificate = tls["certificate"].flatMap { file($0, of: "certificate") }
    let key = tls["private_key"].flatMap { file($0, of: "private_key") }
    let authority = tls["client_ca"].flatMap(clientCA)
    let version = tls["min_version"].flatMap { findings.choice($0, of: ServerTLS.Version.self) }
    let alpn = tls["alpn"].map(alpn) ?? []
    let resumption = tls["resumption"].flatMap { findings.flag($0) }
    readRevocation(tls)
    readHosts(tls)
    guard let certificate, let key, let authority else { return nil }
    return ServerTLS(
      certificate: certificate, privateKey: key, clientCA: authority,
      minVersion: version?.value ?? .tls12, alpn: alpn, resumption: resumption ?? true)
  }

  /// One file, or a list of one; several key types are a feature of their own.
  private func file(_ node: YAMLNode, of key: String) -> Located<String>? {
    let nodes = findings.list(node, of: "file")
    let paths = nodes.compactMap { findings.path($0, of: "a PEM file") }
    if nodes.count > 1 {
      findings.notAvailable(at: node.mark, "\(key) with several files", hint: "name one file")
    }
    return paths.first
  }

  private func clientCA(_ node: YAMLNode) -> Located<String>? {
    let nodes = findings.list(node, of: "file")
    var paths: [Located<String>] = []
    for entry in nodes {
      guard case .mapping = entry.content else {
        if let path = findings.path(entry, of: "a PEM file") { paths.append(path) }
        continue
      }
      guard let labelled = CheckedMapping(entry, ConfigurationSchema.clientCA, findings) else { continue }
      _ = labelled["label"].flatMap(findings.name)
      _ = labelled["file"].flatMap { findings.path($0, of: "a PEM file") }
      findings.notAvailable(at: entry.mark, "client_ca with a label")
    }
    if nodes.count > 1 {
      findings.notAvailable(
        at: node.mark, "client_ca with several files",
        hint: "put all trust anchors into one file: it may hold any number of them")
    }
    return paths.first
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

  private func readHosts(_ tls: CheckedMapping) {
    if let node = tls["hosts"] {
      findings.entries(node, of: "hosts").forEach(host)
      findings.notAvailable(at: tls.mark(of: "hosts"), "hosts")
    }
    if let node = tls["unknown_server_name"],
      findings.choice(node, of: UnknownServerName.self)?.value == .refuse
    {
      findings.notAvailable(at: tls.mark(of: "unknown_server_name"), "unknown_server_name: refuse")
    }
  }

  private func host(_ node: YAMLNode) {
    guard let host = CheckedMapping(node, ConfigurationSchema.host, findings) else { return }
    for name in host["server_name"].map({ findings.texts($0, of: "server name") }) ?? [] {
      let plain = name.value.hasPrefix("*.") ? String(name.value.dropFirst(2)) : name.value
      if !HostName.isValid(plain) {
        findings.error(
          at: name.location, "invalid-value",
          "found \(Wording.quote(name.value)), expected a DNS name, or \"*.\" and a DNS name")
      }
    }
    _ = host["certificate"].flatMap { file($0, of: "certificate") }
    _ = host["private_key"].flatMap { file($0, of: "private_key") }
    _ = host["client_ca"].flatMap(clientCA)
  }
}
