package import EventLoop

/// What a PROXY protocol header says (HAProxy's proxy-protocol.txt, versions 1 and 2). Whether its sender may
/// say such things is for the caller to know: the protocol is never guessed from the bytes.
package struct ProxyHeader: Hashable, Sendable {
  package enum Version: Sendable, Hashable { case v1, v2 }

  /// Where the connection is said to come from and to have gone to.
  package struct Claim: Hashable, Sendable {
    package let source: NetworkAddress
    package let destination: NetworkAddress
  }

  package let version: Version
  /// Nil for UNKNOWN, LOCAL and UNSPEC: the connection's own addresses are then the true ones.
  package let claim: Claim?

  /// A longer header is refused: a v2 header could name 64 KiB of TLVs, which nobody sends and somebody would
  /// have to hold.
  package static let maxLength = 16 << 10

  /// Reads the header that the bytes begin with.
  package static func parse(_ bytes: Span<UInt8>) -> WireStep<ProxyHeader> {
    guard bytes.count > 0 else { return .incomplete }
    switch bytes[0] {
    case ProxyHeaderV1.firstByte: return ProxyHeaderV1.parse(bytes)
    case ProxyHeaderV2.firstByte: return ProxyHeaderV2.parse(bytes)
    default: return .invalid("expected a PROXY header, found the byte \(hexadecimal(bytes[0]))")
    }
  }

  static func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return "0x" + (digits.count == 1 ? "0" : "") + digits
  }
}
