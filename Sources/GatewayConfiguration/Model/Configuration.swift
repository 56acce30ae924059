package import AccessPolicy

/// A whole configuration, valid in itself: every name it refers to exists, every value is in range.
/// Files are named, not read; paths are resolved against the folder of the configuration file.
package struct Configuration: Sendable {
  package var file: String
  package var listeners: [Listener]
  package var upstreams: [Upstream]
  /// Globs, resolved against the folder of the configuration file.
  package var policies: [Located<String>]
  package var audit: Audit
  package var limits: Limits
  package var drainTimeout: Duration
  /// Threads; nil stands for as many as the process may use.
  package var workers: Int?

  package init(
    file: String, listeners: [Listener], upstreams: [Upstream], policies: [Located<String>],
    audit: Audit = Audit(), limits: Limits = Limits(), drainTimeout: Duration = .seconds(30),
    workers: Int? = nil
  ) {
    self.file = file
    self.listeners = listeners
    self.upstreams = upstreams
    self.policies = policies
    self.audit = audit
    self.limits = limits
    self.drainTimeout = drainTimeout
    self.workers = workers
  }
}

/// Where clients come in.
package struct Listener: Sendable {
  package var name: Located<String>
  package var address: Located<SocketAddress>
  package var tls: ServerTLS
  /// The name of an ``Upstream``.
  package var upstream: Located<String>
  /// The gateway's limits, with what this listener overrides.
  package var limits: Limits

  package init(
    name: Located<String>, address: Located<SocketAddress>, tls: ServerTLS, upstream: Located<String>,
    limits: Limits
  ) {
    self.name = name
    self.address = address
    self.tls = tls
    self.upstream = upstream
    self.limits = limits
  }
}

/// What a listener shows to clients, and which clients it believes.
package struct ServerTLS: Sendable {
  package enum Version: String, Sendable, CaseIterable { case tls12 = "1.2", tls13 = "1.3" }

  package var certificate: Located<String>
  package var privateKey: Located<String>
  package var clientCA: Located<String>
  package var minVersion: Version
  package var alpn: [String]

  package init(
    certificate: Located<String>, privateKey: Located<String>, clientCA: Located<String>,
    minVersion: Version = .tls12, alpn: [String] = []
  ) {
    self.certificate = certificate
    self.privateKey = privateKey
    self.clientCA = clientCA
    self.minVersion = minVersion
    self.alpn = alpn
  }
}

/// What stands behind the gateway.
package struct Upstream: Sendable {
  package var name: Located<String>
  package var address: Located<SocketAddress>
  package var connectTimeout: Duration

  package init(
    name: Located<String>, address: Located<SocketAddress>, connectTimeout: Duration = .seconds(5)
  ) {
    self.name = name
    self.address = address
    self.connectTimeout = connectTimeout
  }
}

/// An address as people write it.
package enum SocketAddress: Sendable, Hashable {
  case ip(IPAddress, port: UInt16)
  /// A DNS name, resolved while the gateway runs; upstreams only.
  case name(String, port: UInt16)
  /// A Unix socket's path.
  case unix(String)
}

/// Where the log goes, and what happens where it cannot.
package struct Audit: Sendable {
  package enum Destination: Sendable, Hashable {
    case standardOutput, standardError
    case file(String)
  }

  package var destination: Destination
  /// Whether records are chained by hashes.
  package var integrity: Bool

  package init(destination: Destination = .standardOutput, integrity: Bool = true) {
    self.destination = destination
    self.integrity = integrity
  }
}

/// Bounds on what clients may use up.
package struct Limits: Sendable, Hashable {
  /// Connections at one time; nil stands for the smaller of 10000 and what the descriptor limit allows.
  package var maxConnections: Int?
  /// Unauthenticated connections at one time.
  package var maxHandshakes: Int
  /// One deadline over everything before the verdict.
  package var handshakeTimeout: Duration
  package var idleTimeout: Duration
  /// Zero stands for no limit.
  package var maxConnectionAge: Duration

  package init(
    maxConnections: Int? = nil, maxHandshakes: Int = 512, handshakeTimeout: Duration = .seconds(10),
    idleTimeout: Duration = .seconds(3600), maxConnectionAge: Duration = .zero
  ) {
    self.maxConnections = maxConnections
    self.maxHandshakes = maxHandshakes
    self.handshakeTimeout = handshakeTimeout
    self.idleTimeout = idleTimeout
    self.maxConnectionAge = maxConnectionAge
  }
}

extension Listener {
  /// What is spoken on it, as the fact `protocol` says it.
  package var protocolName: String { "tcp" }
}
