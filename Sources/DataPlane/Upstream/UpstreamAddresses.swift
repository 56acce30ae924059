package import EventLoop
package import GatewayConfiguration

/// What a name resolved to last, or why it did not.
package enum Resolution: Sendable, Hashable {
  case addresses([NetworkAddress])
  case failed(String)
}

/// Where each upstream can be dialled right now, as one worker knows it. Names are resolved elsewhere and
/// come in by mailbox; a failed refresh keeps the addresses that worked.
package struct UpstreamAddresses {
  /// A name to be resolved.
  package struct Name: Sendable, Hashable {
    package var name: String
    package var port: UInt16

    package init(name: String, port: UInt16) {
      self.name = name
      self.port = port
    }
  }

  private var resolved: [Name: Resolution] = [:]

  package init() {}

  package mutating func update(_ name: Name, to resolution: Resolution) {
    if case .failed = resolution, case .addresses = resolved[name] { return }
    resolved[name] = resolution
  }

  /// - Returns: the addresses to try, in order, or why there are none.
  package func candidates(for address: SocketAddress) -> Resolution {
    switch address {
    case .ip(let ip, let port): return .addresses([NetworkAddress(ip: ip, port: port)])
    case .unix(let path): return .addresses([.unix(path)])
    case .systemd(let name): return .failed("systemd:\(name) is for listeners")
    case .name(let name, let port):
      return resolved[Name(name: name, port: port)] ?? .failed("\(name) is not resolved yet")
    }
  }
}
