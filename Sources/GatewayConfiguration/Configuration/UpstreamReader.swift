import AccessPolicy

/// Reads an entry of `upstreams`.
struct UpstreamReader {
  private enum Balance: String, CaseIterable {
    case leastConnections = "least_connections"
    case roundRobin = "round_robin"
  }
  private enum ProxyHeader: String, CaseIterable {
    case none, v1, v2
    case v2TLS = "v2_tls"
  }

  let findings: Findings

  func read(_ node: YAMLNode) -> Upstream? {
    guard let upstream = CheckedMapping(node, ConfigurationSchema.upstream, findings) else { return nil }
    let name = upstream["name"].flatMap(findings.name)
    let address = upstream["address"].flatMap(address)
    let timeout = upstream["connect_timeout"].flatMap { findings.duration($0) }
    if let node = upstream["balance"], findings.choice(node, of: Balance.self) != nil {
      findings.notAvailable(at: upstream.mark(of: "balance"), "balance")
    }
    if let node = upstream["proxy_protocol"],
      let header = findings.choice(node, of: ProxyHeader.self), header.value != .none
    {
      findings.notAvailable(at: header.location, "proxy_protocol: \(header.value.rawValue) of an upstream")
    }
    if let node = upstream["tls"] { tls(node, at: upstream.mark(of: "tls")) }
    guard let name, let address else { return nil }
    return Upstream(name: name, address: address, connectTimeout: timeout ?? .seconds(5))
  }

  private func address(_ node: YAMLNode) -> Located<SocketAddress>? {
    let nodes = findings.list(node, of: "address")
    let addresses = nodes.compactMap(SocketAddressReader(findings: findings, role: .upstream).read)
    if nodes.count > 1 {
      findings.notAvailable(at: node.mark, "an upstream with several addresses", hint: "name one address")
    }
    return addresses.first
  }

  private func tls(_ node: YAMLNode, at mark: YAMLMark) {
    guard let tls = CheckedMapping(node, ConfigurationSchema.upstreamTLS, findings) else { return }
    for key in ["ca", "certificate", "private_key"] {
      _ = tls[key].flatMap { findings.path($0, of: "a PEM file") }
    }
    if let name = tls["server_name"].flatMap({ findings.text($0, expected: "a DNS name") }),
      !HostName.isValid(name.value) && IPAddress(name.value) == nil
    {
      findings.error(
        at: name.location, "invalid-value", "found \(Wording.quote(name.value)), expected a DNS name")
    }
    for (key, other) in [("certificate", "private_key"), ("private_key", "certificate")]
    where tls[key] != nil && tls[other] == nil {
      findings.error(
        at: tls.mark(of: key), "missing-key", "an upstream's tls with \(key) needs the key \"\(other)\" too")
    }
    findings.notAvailable(at: mark, "tls to an upstream")
  }
}
