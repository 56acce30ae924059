import AccessPolicy

/// Reads `limits`, of the gateway or of one listener.
struct LimitsReader {
  let findings: Findings

  /// - Parameter defaults: what holds for keys that are not there.
  func read(_ node: YAMLNode, over defaults: Limits) -> Limits {
    var result = defaults
    guard let limits = CheckedMapping(node, ConfigurationSchema.limits, findings) else { return result }
    if let value = limits["max_connections"].flatMap({ findings.integer($0, in: 1...1_000_000) }) {
      result.maxConnections = value
    }
    if let value = limits["max_handshakes"].flatMap({ findings.integer($0, in: 1...1_000_000) }) {
      result.maxHandshakes = value
    }
    if let value = limits["handshake_timeout"].flatMap({ findings.duration($0) }) {
      result.handshakeTimeout = value
    }
    if let value = limits["idle_timeout"].flatMap({ findings.duration($0) }) { result.idleTimeout = value }
    if let value = limits["max_connection_age"].flatMap({ findings.duration($0, zero: true) }) {
      result.maxConnectionAge = value
    }
    if let value = limits["max_connections_per_caller"].flatMap({ findings.integer($0, in: 0...1_000_000) }) {
      result.maxConnectionsPerCaller = value
    }
    if let value = limits["connection_rate_per_source"].flatMap(rate) {
      result.connectionRatePerSource = value.count > 0 ? value : nil
    }
    return result
  }

  /// `20/s`: a whole number of connections a second, a minute or an hour.
  private func rate(_ node: YAMLNode) -> ConnectionRate? {
    let expected = "a rate such as 20/s, 300/m or 0/s"
    guard let text = findings.text(node, expected: expected)?.value else { return nil }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let period = Self.periods[String(parts[1])], let count = Int(parts[0]),
      parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }), count <= 1_000_000
    else {
      findings.error(
        at: node.mark, "invalid-value", "found \(Wording.quote(text)), expected \(expected)",
        hint: "the number is at most 1000000")
      return nil
    }
    return ConnectionRate(count: count, per: period)
  }

  private static let periods: [String: Duration] = [
    "s": .seconds(1), "m": .seconds(60), "h": .seconds(3600),
  ]
}
