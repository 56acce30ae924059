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
  /// Where keys stand that hold for the whole life of a process, by their paths: `audit.integrity`; those that are
  /// not written are not there.
  package var places: [String: SourceLocation] = [:]

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
  /// Of the file where `address` is a Unix socket.
  package var socketFile: SocketFile
  package var wireProtocol: WireProtocol
  /// Who must begin with a PROXY protocol header; nil: nobody may.
  package var proxySources: ProxySources?
  /// What the greeting of a MySQL listener shows.
  package var mySQLServerVersion: String
  package var tls: ServerTLS
  /// The name of an ``Upstream``.
  package var upstream: Located<String>
  /// The gateway's limits, with what this listener overrides.
  package var limits: Limits

  package init(
    name: Located<String>, address: Located<SocketAddress>, socketFile: SocketFile = SocketFile(),
    wireProtocol: WireProtocol = .tcp, proxySources: ProxySources? = nil,
    mySQLServerVersion: String = "8.0.36", tls: ServerTLS,
    upstream: Located<String>, limits: Limits
  ) {
    self.name = name
    self.address = address
    self.socketFile = socketFile
    self.wireProtocol = wireProtocol
    self.proxySources = proxySources
    self.mySQLServerVersion = mySQLServerVersion
    self.tls = tls
    self.upstream = upstream
    self.limits = limits
  }
}

/// What a listener shows to clients, and which clients it believes.
package struct ServerTLS: Sendable {
  package enum Version: String, Sendable, CaseIterable { case tls12 = "1.2", tls13 = "1.3" }

  package var identity: IdentityFiles
  /// At least one.
  package var clientCA: [ClientCAFile]
  package var revocation: Revocation
  package var minVersion: Version
  package var alpn: [String]
  package var hosts: [HostTLS]
  package var unknownServerName: UnknownServerName
  /// Whether clients may resume sessions.
  package var resumption: Bool

  package init(
    identity: IdentityFiles, clientCA: [ClientCAFile], revocation: Revocation = Revocation(),
    minVersion: Version = .tls12, alpn: [String] = [], hosts: [HostTLS] = [],
    unknownServerName: UnknownServerName = .default, resumption: Bool = true
  ) {
    self.identity = identity
    self.clientCA = clientCA
    self.revocation = revocation
    self.minVersion = minVersion
    self.alpn = alpn
    self.hosts = hosts
    self.unknownServerName = unknownServerName
    self.resumption = resumption
  }
}

/// What is spoken on a listener, before TLS and within it.
package enum WireProtocol: String, Sendable, CaseIterable { case tcp, postgres, mysql }

/// Whose connections begin with a PROXY protocol header.
package struct ProxySources: Sendable, Hashable {
  package var blocks: [CIDRBlock]
  /// Every peer of a Unix socket, which has no address.
  package var unix: Bool

  package init(blocks: [CIDRBlock], unix: Bool = false) {
    self.blocks = blocks
    self.unix = unix
  }

  /// - Parameter address: the TCP peer's; nil for the peer of a Unix socket.
  package func contains(_ address: IPAddress?) -> Bool {
    guard let address else { return unix }
    return blocks.contains { $0.contains(address) }
  }
}

/// An address as people write it.
package enum SocketAddress: Sendable, Hashable {
  case ip(IPAddress, port: UInt16)
  /// A DNS name, resolved while the gateway runs; upstreams only.
  case name(String, port: UInt16)
  /// A Unix socket's path.
  case unix(String)
  /// Sockets that the service manager opened, by their `FileDescriptorName=`; listeners only.
  case systemd(String)
}

/// Who may connect to a listener's Unix socket.
package struct SocketFile: Sendable {
  /// Permission bits, as chmod(1) takes them.
  package var mode: UInt32
  /// A name or a number; nil stands for the gateway's own.
  package var user: Located<String>?
  package var group: Located<String>?

  package init(mode: UInt32 = 0o600, user: Located<String>? = nil, group: Located<String>? = nil) {
    self.mode = mode
    self.user = user
    self.group = group
  }
}

/// Where the log goes, and what happens where it cannot.
package struct Audit: Sendable {
  package enum Destination: Sendable, Hashable {
    case standardOutput, standardError
    case file(String)
  }

  /// What is done before the upstream is dialled: the kernel has the record, or the disk.
  package enum Durability: String, Sendable, CaseIterable { case written, synced }

  /// What new connections get while records cannot be written.
  package enum WhenUnavailable: String, Sendable, CaseIterable {
    case refuse
    case allowUnlogged = "allow_unlogged"
  }

  package var destination: Destination
  /// Where the configuration names the destination; nil where it names none.
  package var place: SourceLocation?
  package var durability: Durability
  package var whenUnavailable: WhenUnavailable
  /// Whether records are chained by hashes.
  package var integrity: Bool
  /// The file whose bytes are the key of the chain; nil for a chain without a key.
  package var key: Located<String>?

  package init(
    destination: Destination = .standardOutput, durability: Durability = .written,
    whenUnavailable: WhenUnavailable = .refuse, integrity: Bool = true, key: Located<String>? = nil
  ) {
    self.destination = destination
    self.durability = durability
    self.whenUnavailable = whenUnavailable
    self.integrity = integrity
    self.key = key
  }
}
