package import AccessPolicy
package import EventLoop
package import GatewayConfiguration
package import TLSEngine

/// Everything that a verdict depends on, immutable, swapped as a whole.
package final class Snapshot: Sendable {
  /// SHA-256 over all files that it was made of, lowercase hex: records name their judge by it.
  package let version: String
  package let listeners: [ListenerSnapshot]
  package let policy: Policy
  /// Of the gateway as a whole, over all listeners.
  package let limits: Limits
  /// How long connections go on that came by a listener which is there no more.
  package let drainTimeout: Duration

  package init(
    version: String, listeners: [ListenerSnapshot], policy: Policy, limits: Limits,
    drainTimeout: Duration = .seconds(30)
  ) {
    self.version = version
    self.listeners = listeners
    self.policy = policy
    self.limits = limits
    self.drainTimeout = drainTimeout
  }

  /// The names that have to be resolved for it.
  package var resolvedNames: Set<UpstreamAddresses.Name> { Set(listeners.flatMap(\.upstream.resolvedNames)) }

  /// The names of the sockets that the service manager is to hand over.
  package var handedOverNames: Set<String> {
    Set(
      listeners.compactMap { listener in
        if case .handedOver(let name) = listener.address { name } else { nil }
      })
  }
}

/// One listener as workers use it, immutable; a class, as every connection holds the one that it came by.
package final class ListenerSnapshot: Sendable {
  package let name: String
  package let wireProtocol: WireProtocol
  /// What the greeting of a MySQL listener shows.
  package let mySQLServerVersion: String
  /// Whose connections begin with a PROXY header; nil: nobody's.
  package let proxySources: ProxySources?
  package let address: ListenAddress
  package let tls: ServerContext
  package let upstream: UpstreamSnapshot
  package let limits: Limits

  package init(
    name: String, wireProtocol: WireProtocol = .tcp, mySQLServerVersion: String = "8.0.36",
    proxySources: ProxySources? = nil, address: ListenAddress, tls: ServerContext, upstream: UpstreamSnapshot,
    limits: Limits
  ) {
    self.name = name
    self.wireProtocol = wireProtocol
    self.mySQLServerVersion = mySQLServerVersion
    self.proxySources = proxySources
    self.address = address
    self.tls = tls
    self.upstream = upstream
    self.limits = limits
  }

  /// Whether a connection from there must begin with a PROXY header; from elsewhere none is taken.
  func expectsProxyHeader(from address: NetworkAddress) -> Bool {
    proxySources?.contains(address.ip) ?? false
  }

  /// The first packet of a new connection, where the server speaks first.
  var greeting: [UInt8]? {
    guard wireProtocol == .mysql else { return nil }
    // Its nonce proves nothing: clients prove themselves to the upstream's.
    let nonce = (0..<MySQLGreeting.nonceLength).map { _ in UInt8.random(in: .min ... .max) }
    return MySQLGreeting(
      version: mySQLServerVersion, connectionID: .random(in: 1 ... .max), nonce: nonce
    ).packet
  }

  /// The stages that a connection from there goes through.
  func course(for address: NetworkAddress) -> ConnectionMachine.Course {
    ConnectionMachine.Course(
      negotiates: wireProtocol != .tcp || expectsProxyHeader(from: address),
      introduces: wireProtocol != .tcp, prepares: upstream.tls != nil || wireProtocol == .mysql)
  }

  package var timeouts: ConnectionMachine.Timeouts {
    ConnectionMachine.Timeouts(
      handshake: limits.handshakeTimeout, connect: upstream.connectTimeout, idle: limits.idleTimeout,
      age: limits.maxConnectionAge)
  }
}

/// Where a listener's sockets come from.
package enum ListenAddress: Hashable, Sendable {
  /// Opened by the gateway; the access is that to the file of a Unix socket, and of no meaning elsewhere.
  case opened(NetworkAddress, UnixSocketAccess)
  /// Opened by the service manager under this name; there may be several.
  case handedOver(String)
}
