import AccessPolicy

extension SocketAddress: CustomStringConvertible {
  /// As people write it: `127.0.0.1:5432`, `[::1]:5432`, `db.internal:5432`, `unix:/run/x.sock`.
  package var description: String {
    switch self {
    case .ip(let ip, let port): ip.family == .v6 ? "[\(ip.text)]:\(port)" : "\(ip.text):\(port)"
    case .name(let name, let port): "\(name):\(port)"
    case .unix(let path): "unix:\(path)"
    case .systemd(let name): "systemd:\(name)"
    }
  }
}
