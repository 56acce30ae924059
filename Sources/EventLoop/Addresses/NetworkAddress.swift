internal import Glibc

/// Where a stream socket is or goes: an address with its port in host byte order, or the path of a Unix
/// socket. An IPv4 peer of a dual-stack socket is `.v4`, never `::ffff:…`: see `SocketAddress`.
package enum NetworkAddress: Hashable, Sendable {
  case v4(UInt32, port: UInt16)
  /// `scope` is the interface index of a link-local address (RFC 4007), else 0. Indirect, because a 16-byte
  /// aligned payload beside one with references is misplaced by unoptimised builds of Swift 6.3 where a
  /// noncopyable value that holds the enum is taken apart: it dies of a misaligned move.
  indirect case v6(UInt128, port: UInt16, scope: UInt32)
  /// A file system path; empty for a peer that never bound a name; `@name` for a peer in the abstract
  /// namespace (unix(7)), which is for messages only.
  case unix(String)

  /// The TCP port; nil for a Unix socket.
  package var port: UInt16? {
    switch self {
    case .v4(_, let port), .v6(_, let port, _): port
    case .unix: nil
    }
  }

  /// The same host with another port; a Unix address as it is.
  package func withPort(_ port: UInt16) -> NetworkAddress {
    switch self {
    case .v4(let address, _): .v4(address, port: port)
    case .v6(let address, _, let scope): .v6(address, port: port, scope: scope)
    case .unix: self
    }
  }
}

extension NetworkAddress: CustomStringConvertible {
  /// `127.0.0.1:5432`, `[2001:db8::1]:5432`, `[fe80::1%2]:5432`, `unix:/run/x.sock`, `unix:` (unnamed)
  package var description: String {
    switch self {
    case .v4(let address, let port):
      return "\(Self.text(AF_INET, address.bigEndian)):\(port)"
    case .v6(let address, let port, let scope):
      let zone = scope == 0 ? "" : "%\(scope)"
      return "[\(Self.text(AF_INET6, address.bigEndian))\(zone)]:\(port)"
    case .unix(let path):
      return "unix:\(path)"
    }
  }

  /// inet_ntop(3): lower case, the longest run of zeros folded, as RFC 5952 section 4 asks.
  private static func text<Value>(_ family: Int32, _ value: Value) -> String {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
      unsafe withUnsafePointer(to: value) { address in
        guard let text = unsafe inet_ntop(family, address, buffer.baseAddress, socklen_t(buffer.count))
        else { return "?" }
        return unsafe String(cString: text)
      }
    }
  }
}
