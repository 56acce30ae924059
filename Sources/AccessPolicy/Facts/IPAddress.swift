/// An IPv4 or IPv6 address without port or zone. An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) is held
/// as the IPv4 address that it maps, so that one peer has one spelling.
package struct IPAddress: Hashable, Sendable {
  package enum Family: UInt8, Sendable { case v4 = 4, v6 = 6 }

  package let family: Family
  /// The address as a number; an IPv4 address fills the low 32 bits.
  package let bits: UInt128

  package init(v4 bits: UInt32) {
    self.family = .v4
    self.bits = UInt128(bits)
  }

  package init(v6 bits: UInt128) {
    if bits >> 32 == 0xffff {
      self.family = .v4
      self.bits = bits & 0xffff_ffff
    } else {
      self.family = .v6
      self.bits = bits
    }
  }
}
