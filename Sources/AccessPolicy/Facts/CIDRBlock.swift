/// A block of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address.
package struct CIDRBlock: Hashable, Sendable {
  private let network: IPAddress
  private let length: Int

  /// - Returns: nil where it is no block, or where bits behind the prefix are set: `10.1.2.3/8` may mean the
  ///   address or the network, and a rule must mean one thing.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, let network = IPAddress(String(parts[0])) else { return nil }
    let width = network.family == .v4 ? 32 : 128
    var length = width
    if parts.count == 2 {
      guard parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(parts[1]),
        number <= width, parts[1].utf8.count == 1 || parts[1].utf8.first != 48
      else { return nil }
      length = number
    }
    guard network.bits & Self.hostMask(width - length) == 0 else { return nil }
    self.network = network
    self.length = length
  }

  package func contains(_ address: IPAddress) -> Bool {
    guard address.family == network.family else { return false }
    let hostBits = (network.family == .v4 ? 32 : 128) - length
    return address.bits & ~Self.hostMask(hostBits) == network.bits
  }

  /// Whether every address of the other block is in this one.
  package func contains(_ other: CIDRBlock) -> Bool { length <= other.length && contains(other.network) }

  /// `10.0.0.0/8`; an address alone where the block holds no other.
  package var text: String {
    length == (network.family == .v4 ? 32 : 128) ? network.text : "\(network.text)/\(length)"
  }

  private static func hostMask(_ hostBits: Int) -> UInt128 {
    hostBits >= 128 ? .max : (1 << UInt128(hostBits)) - 1
  }
}
