import AccessPolicy

/// Reads what a listener's `tls` says of server names: `hosts` and `unknown_server_name`.
struct HostsReader {
  let findings: Findings

  func read(_ node: YAMLNode) -> [HostTLS] {
    let hosts = findings.entries(node, of: "hosts").compactMap(host)
    findings.duplicates(hosts.flatMap(\.serverNames), of: "server name")
    return hosts
  }

  func unknownServerName(_ tls: CheckedMapping) -> UnknownServerName {
    guard let node = tls["unknown_server_name"],
      let choice = findings.choice(node, of: UnknownServerName.self)
    else { return .default }
    if choice.value == .refuse, tls["hosts"] == nil {
      findings.error(
        at: choice.location, "contradiction",
        "without hosts no server name is known, and unknown_server_name: refuse refuses every client",
        hint: "name the hosts that clients may ask for; an entry may consist of server_name alone")
    }
    return choice.value
  }

  private func host(_ node: YAMLNode) -> HostTLS? {
    guard let host = CheckedMapping(node, ConfigurationSchema.host, findings) else { return nil }
    let names = host["server_name"].map { findings.texts($0, of: "server name") } ?? []
    let known = names.compactMap(serverName)
    let identity = IdentityReader(findings: findings).read(host, isNeeded: false)
    let authorities = host["client_ca"].map { ClientCAReader(findings: findings).read($0) }
    guard !known.isEmpty else { return nil }
    return HostTLS(serverNames: known, identity: identity, clientCA: authorities)
  }

  /// One spelling for what clients may spell in many ways: lower case, without the dot of the root.
  private func serverName(_ name: Located<String>) -> Located<String>? {
    guard name.value.utf8.allSatisfy({ $0 < 0x80 }) else {
      findings.error(
        at: name.location, "invalid-value",
        "found \(Wording.quote(name.value)), and clients ask for A-labels, which are ASCII (RFC 5890)",
        hint: "write it as xn--…: idn2 NAME prints it")
      return nil
    }
    var spelled = name.value.lowercased()
    if spelled.hasSuffix(".") { spelled.removeLast() }
    guard HostName.isValid(spelled.hasPrefix("*.") ? String(spelled.dropFirst(2)) : spelled) else {
      findings.error(
        at: name.location, "invalid-value",
        "found \(Wording.quote(name.value)), expected a DNS name, or \"*.\" and a DNS name")
      return nil
    }
    return Located(spelled, at: name.location)
  }
}
