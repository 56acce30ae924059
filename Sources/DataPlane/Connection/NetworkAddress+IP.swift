package import AccessPolicy
package import EventLoop

extension NetworkAddress {
  /// The address that policies and records speak of; nil for Unix sockets.
  package var ip: IPAddress? {
    switch self {
    case .v4(let bits, _): IPAddress(v4: bits)
    case .v6(let bits, _, _): IPAddress(v6: bits)
    case .unix: nil
    }
  }

  /// The address of a policy's or configuration's IP address and port.
  package init(ip: IPAddress, port: UInt16) {
    switch ip.family {
    case .v4: self = .v4(UInt32(truncatingIfNeeded: ip.bits), port: port)
    case .v6: self = .v6(ip.bits, port: port, scope: 0)
    }
  }
}
