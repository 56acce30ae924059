package import AccessPolicy

/// What stands behind the gateway.
package struct Upstream: Sendable {
  /// How several addresses share connections.
  package enum Balance: String, Sendable, CaseIterable {
    /// The address with the fewest live connections of this gateway; among equals, in turn.
    case leastConnections = "least_connections"
    case roundRobin = "round_robin"
  }

  /// The PROXY protocol header that an upstream gets before everything else.
  package enum ProxyHeader: String, Sendable, CaseIterable {
    case none, v1, v2
    /// Version 2 with the client's TLS, certificate and caller name.
    case v2TLS = "v2_tls"
  }

  package var name: Located<String>
  /// At least one; the order matters for no balance.
  package var addresses: [Located<SocketAddress>]
  package var balance: Balance
  package var connectTimeout: Duration
  package var proxyHeader: ProxyHeader
  /// nil: plain TCP.
  package var tls: UpstreamTLS?
  /// nil: an address is known to be bad only by dials that failed.
  package var healthCheck: HealthCheck?

  package init(
    name: Located<String>, addresses: [Located<SocketAddress>], balance: Balance = .leastConnections,
    connectTimeout: Duration = .seconds(5), proxyHeader: ProxyHeader = .none, tls: UpstreamTLS? = nil,
    healthCheck: HealthCheck? = nil
  ) {
    self.name = name
    self.addresses = addresses
    self.balance = balance
    self.connectTimeout = connectTimeout
    self.proxyHeader = proxyHeader
    self.tls = tls
    self.healthCheck = healthCheck
  }
}

/// TLS towards an upstream: PEM files, and whom its certificate must name.
package struct UpstreamTLS: Sendable {
  /// The trust anchors for the upstream.
  package var ca: Located<String>
  /// A DNS name or an IP address; nil stands for the address's own.
  package var serverName: Located<String>?
  /// What the gateway shows of itself.
  package var identity: IdentityFiles?

  package init(ca: Located<String>, serverName: Located<String>? = nil, identity: IdentityFiles? = nil) {
    self.ca = ca
    self.serverName = serverName
    self.identity = identity
  }
}

/// How an upstream's addresses are asked whether they are well.
package struct HealthCheck: Sendable, Hashable {
  package enum Probe: String, Sendable, CaseIterable {
    /// A TCP connection.
    case tcp
    /// What the protocol of the upstream's listeners begins with, answered as that protocol does.
    case `protocol`
  }

  package var probe: Probe
  /// Between two probes of an address.
  package var interval: Duration
  package var timeout: Duration

  package init(probe: Probe = .tcp, interval: Duration = .seconds(10), timeout: Duration = .seconds(2)) {
    self.probe = probe
    self.interval = interval
    self.timeout = timeout
  }
}
