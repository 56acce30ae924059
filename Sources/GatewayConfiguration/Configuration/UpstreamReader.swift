import AccessPolicy

/// Reads an entry of `upstreams`.
struct UpstreamReader {
  let findings: Findings

  func read(_ node: YAMLNode) -> Upstream? {
    guard let upstream = CheckedMapping(node, ConfigurationSchema.upstream, findings) else { return nil }
    let name = upstream["name"].flatMap(findings.name)
    let addresses = upstream["address"].map(addresses) ?? []
    let balance = upstream["balance"].flatMap { findings.choice($0, of: Upstream.Balance.self) }
    let timeout = upstream["connect_timeout"].flatMap { findings.duration($0) }
    let header = upstream["proxy_protocol"].flatMap { findings.choice($0, of: Upstream.ProxyHeader.self) }
    let tls = upstream["tls"].map(tls)
    let check = upstream["health_check"].flatMap(healthCheck)
    guard let name, !addresses.isEmpty, tls == nil || tls.flatMap({ $0 }) != nil else { return nil }
    return Upstream(
      name: name, addresses: addresses, balance: balance?.value ?? .leastConnections,
      connectTimeout: timeout ?? .seconds(5), proxyHeader: header?.value ?? .none, tls: tls.flatMap { $0 },
      healthCheck: check)
  }

  private func addresses(_ node: YAMLNode) -> [Located<SocketAddress>] {
    var addresses: [Located<SocketAddress>] = []
    for entry in findings.list(node, of: "address") {
      guard let address = SocketAddressReader(findings: findings, role: .upstream).read(entry) else {
        continue
      }
      if let first = addresses.first(where: { $0.value == address.value }) {
        findings.error(
          at: address.location, "duplicate-address",
          "the address \(Wording.quote("\(address.value)")) stands twice",
          hint: "the first one is in line \(first.location.line)")
      }
      addresses.append(address)
    }
    return addresses
  }

  private func healthCheck(_ node: YAMLNode) -> HealthCheck? {
    guard let check = CheckedMapping(node, ConfigurationSchema.healthCheck, findings) else { return nil }
    let standard = HealthCheck()
    return HealthCheck(
      probe: check["probe"].flatMap { findings.choice($0, of: HealthCheck.Probe.self) }?.value
        ?? standard.probe,
      interval: check["interval"].flatMap { findings.duration($0) } ?? standard.interval,
      timeout: check["timeout"].flatMap { findings.duration($0) } ?? standard.timeout)
  }

  private func tls(_ node: YAMLNode) -> UpstreamTLS? {
    guard let tls = CheckedMapping(node, ConfigurationSchema.upstreamTLS, findings) else { return nil }
    let ca = tls["ca"].flatMap { findings.path($0, of: "a PEM file") }
    let identity = IdentityReader(findings: findings).read(tls, isNeeded: false)
    let name = tls["server_name"].flatMap { findings.text($0, expected: "a DNS name") }
    if let name, !HostName.isValid(name.value) && IPAddress(name.value) == nil {
      findings.error(
        at: name.location, "invalid-value", "found \(Wording.quote(name.value)), expected a DNS name")
    }
    guard let ca else { return nil }
    return UpstreamTLS(ca: ca, serverName: name, identity: identity)
  }
}
