import AccessPolicy
package import EventLoop
package import GatewayConfiguration

/// An address that can be dialled, and what the configuration calls it.
package struct UpstreamTarget: Sendable, Hashable {
  package var address: NetworkAddress
  /// What a certificate there must name; nil for a Unix socket, which has no name that one could hold.
  package var serverName: String?
  /// As the configuration writes it: `db.internal:5432`.
  package var text: String

  /// - Parameter text: the address itself unless a name stands for it.
  package init(address: NetworkAddress, serverName: String? = nil, text: String? = nil) {
    self.address = address
    self.serverName = serverName
    self.text = text ?? address.description
  }

  /// An address that a name stands for.
  package init(_ address: NetworkAddress, of name: UpstreamAddresses.Name) {
    self.init(address: address, serverName: name.name, text: name.description)
  }

  /// For people: the configured text, with the address where that is another one.
  package var label: String {
    let own = address.description
    return own == text ? own : "\(text) (\(own))"
  }
}

/// What a name resolved to last, or why it did not.
package enum Resolution: Sendable, Hashable {
  case addresses([UpstreamTarget])
  case failed(String)
}

/// Where each upstream can be dialled right now, as one worker knows it. Names are resolved elsewhere and
/// come in by mailbox; a failed refresh keeps the addresses that worked.
package struct UpstreamAddresses {
  /// A name to be resolved.
  package struct Name: Sendable, Hashable, CustomStringConvertible {
    package var name: String
    package var port: UInt16

    package init(name: String, port: UInt16) {
      self.name = name
      self.port = port
    }

    package var description: String { "\(name):\(port)" }
  }

  private var resolved: [Name: Resolution] = [:]

  package init() {}

  package mutating func update(_ name: Name, to resolution: Resolution) {
    if case .failed = resolution, case .addresses = resolved[name] { return }
    resolved[name] = resolution
  }

  /// Forgets the names that nobody asks for any more.
  package mutating func keep(_ names: Set<Name>) { resolved = resolved.filter { names.contains($0.key) } }

  /// - Returns: the addresses to try, in order, or why there are none.
  package func candidates(for addresses: [SocketAddress]) -> Resolution {
    var targets: [UpstreamTarget] = []
    var problems: [String] = []
    for address in addresses {
      switch candidates(for: address) {
      case .addresses(let found): targets += found
      case .failed(let problem): problems.append(problem)
      }
    }
    return targets.isEmpty ? .failed(problems.joined(separator: "; ")) : .addresses(targets)
  }

  private func candidates(for address: SocketAddress) -> Resolution {
    switch address {
    case .ip(let ip, let port):
      return .addresses([UpstreamTarget(address: NetworkAddress(ip: ip, port: port), serverName: ip.text)])
    case .unix(let path): return .addresses([UpstreamTarget(address: .unix(path))])
    case .systemd(let name): return .failed("systemd:\(name) is for listeners")
    case .name(let name, let port):
      return resolved[Name(name: name, port: port)] ?? .failed("\(name) is not resolved yet")
    }
  }
}
