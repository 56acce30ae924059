import AccessPolicy

/// Reads an entry of `listeners`.
struct ListenerReader {
  let findings: Findings
  /// The gateway's limits, which the listener may override.
  let limits: Limits

  func read(_ node: YAMLNode) -> Listener? {
    guard let listener = CheckedMapping(node, ConfigurationSchema.listener, findings) else { return nil }
    let name = listener["name"].flatMap(findings.name)
    let address = listener["listen"].flatMap(SocketAddressReader(findings: findings, role: .listener).read)
    let tls = listener["tls"].flatMap(ServerTLSReader(findings: findings).read)
    let upstream = listener["upstream"].flatMap(findings.name)
    let own = listener["limits"].map { LimitsReader(findings: findings).read($0, over: limits) }
    let wireProtocol =
      listener["protocol"].flatMap { findings.choice($0, of: WireProtocol.self) }?.value ?? .tcp
    let proxySources = listener["proxy_protocol"].map(proxySources)
    let version = listener["mysql_server_version"].flatMap(mySQLServerVersion)
    let socketFile = listener["socket"].map { node in
      SocketFileReader(findings: findings).read(node, at: listener.mark(of: "socket"), of: address)
    }
    guard let name, let tls, let upstream else { return nil }
    // Without an address there is an error, and this is for a draft's further checks alone: unlike any other.
    let place = listener.mark.location(in: findings.file)
    return Listener(
      name: name, address: address ?? Located(.unix("unread, line \(place.line)"), at: place),
      socketFile: socketFile ?? SocketFile(), wireProtocol: wireProtocol, proxySources: proxySources,
      mySQLServerVersion: version ?? "8.0.36", tls: tls, upstream: upstream, limits: own ?? limits)
  }

  /// Shown to clients that may decide by it what they send, in ASCII as servers write it.
  private func mySQLServerVersion(_ node: YAMLNode) -> String? {
    guard let text = findings.text(node, expected: "a version such as 8.0.36") else { return nil }
    let isPlain = text.value.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    guard isPlain, (1...60).contains(text.value.utf8.count),
      text.value.utf8.first.map({ (48...57).contains($0) }) == true
    else {
      findings.error(
        at: text.location, "invalid-value",
        "found \(Wording.quote(text.value)), expected a version such as 8.0.36 or 10.11.6-MariaDB",
        hint: "it begins with a digit and has at most 60 characters without spaces")
      return nil
    }
    return text.value
  }

  /// Without a source that can be read nobody is trusted, and there is an error anyhow.
  private func proxySources(_ node: YAMLNode) -> ProxySources {
    var sources = ProxySources(blocks: [])
    guard let mapping = CheckedMapping(node, ConfigurationSchema.proxyProtocol, findings) else {
      return sources
    }
    for source in mapping["from"].map({ findings.texts($0, of: "CIDR block") }) ?? [] {
      if source.value == "unix" {
        sources.unix = true
      } else if let block = CIDRBlock(source.value) {
        sources.blocks.append(block)
      } else {
        findings.error(
          at: source.location, "invalid-value",
          "found \(Wording.quote(source.value)), expected an IP address, a CIDR block such as 10.0.0.0/8, or "
            + "unix for the peers of a Unix socket",
          hint: "the bits behind the prefix must be 0")
      }
    }
    return sources
  }
}

/// What holds between the addresses of all listeners.
struct ListenerAddresses {
  let findings: Findings

  func check(_ listeners: [Listener]) {
    var first: [SocketAddress: Listener] = [:]
    for listener in listeners {
      let address = Self.comparable(listener.address.value)
      if let other = first[address] {
        // With SO_REUSEPORT the kernel would give each of them a part of the connections.
        findings.error(
          at: listener.address.location, "duplicate-address",
          "the listeners \(Wording.quote(other.name.value)) and \(Wording.quote(listener.name.value)) "
            + "have the same address",
          hint: "the first one is in line \(other.address.location.line); give one of them another "
            + Self.differing(listener.address.value))
      } else {
        first[address] = listener
      }
    }
    for listener in listeners { warnOfWildcard(listener, first) }
  }

  /// One path is written in many ways; symbolic links and `..` are for the kernel to follow.
  private static func comparable(_ address: SocketAddress) -> SocketAddress {
    guard case .unix(let path) = address else { return address }
    let steps = path.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
    return .unix((path.hasPrefix("/") ? "/" : "") + steps.filter { $0 != "." }.joined(separator: "/"))
  }

  private static func differing(_ address: SocketAddress) -> String {
    switch address {
    case .ip, .name: "port"
    case .unix: "path"
    case .systemd: "name"
    }
  }

  /// A wildcard address and a narrower one may share a port; the kernel then prefers the narrower one. `[::]`
  /// covers IPv4 too.
  private func warnOfWildcard(_ listener: Listener, _ all: [SocketAddress: Listener]) {
    guard case .ip(let address, let port) = listener.address.value else { return }
    let wildcards = address.family == .v4 ? [IPAddress(v4: 0), IPAddress(v6: 0)] : [IPAddress(v6: 0)]
    for wildcard in wildcards where wildcard != address {
      guard let other = all[.ip(wildcard, port: port)] else { continue }
      findings.warning(
        at: listener.address.location, "overlapping-address",
        "the address of the listener \(Wording.quote(other.name.value)) covers this one",
        hint: "connections to this address come here and never to \(Wording.quote(other.name.value))")
      return
    }
  }
}
