import EventLoop
package import GatewayConfiguration
package import TLSEngine

/// One upstream as workers use it.
package struct UpstreamSnapshot: Sendable {
  package let name: String
  /// At least one.
  package let addresses: [SocketAddress]
  package let balance: Upstream.Balance
  package let connectTimeout: Duration
  package let proxyHeader: Upstream.ProxyHeader
  /// nil: plain TCP.
  package let tls: TLSClientContext?
  /// nil: what is known of its addresses is known from dials.
  package let healthCheck: HealthCheck?

  package init(
    name: String, addresses: [SocketAddress], balance: Upstream.Balance = .leastConnections,
    connectTimeout: Duration, proxyHeader: Upstream.ProxyHeader = .none, tls: TLSClientContext? = nil,
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

  /// As records and messages speak of it.
  package var description: String { addresses.map(\.description).joined(separator: ", ") }

  /// The one address that needs no resolving.
  var fixedAddress: NetworkAddress? {
    guard addresses.count == 1 else { return nil }
    switch addresses[0] {
    case .ip(let ip, let port): return NetworkAddress(ip: ip, port: port)
    case .unix(let path): return .unix(path)
    case .name, .systemd: return nil
    }
  }

  /// The names that have to be resolved before the upstream can be dialled.
  package var resolvedNames: [UpstreamAddresses.Name] {
    addresses.compactMap {
      guard case .name(let name, let port) = $0 else { return nil }
      return UpstreamAddresses.Name(name: name, port: port)
    }
  }
}
