/// The extensions behind the addresses of a version 2 header (section 2.2). None of them is used; a header
/// whose extensions do not fit, or whose checksum does not, was damaged or forged and says nothing reliable.
enum ProxyTLV {
  static let checksum: UInt8 = 0x03
  static let uniqueID: UInt8 = 0x05
  static let ssl: UInt8 = 0x20
  static let sslVersion: UInt8 = 0x21
  static let sslCommonName: UInt8 = 0x22
  static let sslCipher: UInt8 = 0x23
  static let sslClientCertificate: UInt8 = 0x28
  /// Of the range that is left to applications (section 2.2.8): the caller's name.
  static let callerName: UInt8 = 0xe0

  /// What is wrong with the extensions in this range of a whole header; nil if nothing is.
  static func problem(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String? {
    var cursor = WireCursor(range, of: bytes)
    var sawChecksum = false
    while !cursor.isAtEnd {
      guard let (type, value) = next(&cursor, bytes) else {
        return "a PROXY v2 extension runs over the header's end"
      }
      switch type {
      case checksum:
        guard value.count == 4, !sawChecksum else { return "the checksum of a PROXY v2 header is none" }
        sawChecksum = true
        guard CRC32C.checksum(bytes, 0..<range.upperBound, asIfZero: value) == number(bytes, value) else {
          return "the checksum of a PROXY v2 header is wrong"
        }
      case uniqueID where value.count > 128: return "the unique ID of a PROXY v2 header is over 128 bytes"
      case ssl where !isWhole(ssl: value, bytes): return "the SSL extension of a PROXY v2 header is broken"
      default: break
      }
    }
    return nil
  }

  private static func next(_ cursor: inout WireCursor, _ bytes: Span<UInt8>) -> (UInt8, Range<Int>)? {
    guard let type = cursor.byte(bytes), let length = cursor.big(2, bytes),
      let value = cursor.take(Int(length))
    else { return nil }
    return (type, value)
  }

  private static func number(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt32 {
    range.reduce(0) { $0 << 8 | UInt32(bytes[$1]) }
  }

  /// Flags, the verification's result, and extensions of its own (section 2.2.6).
  private static func isWhole(ssl range: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
    var cursor = WireCursor(range, of: bytes)
    guard cursor.take(5) != nil else { return false }
    while !cursor.isAtEnd {
      guard next(&cursor, bytes) != nil else { return false }
    }
    return true
  }
}

/// CRC-32C (Castagnoli), reflected, as iSCSI has it (RFC 3720 appendix B.4).
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { remainder, _ in
      remainder & 1 == 0 ? remainder >> 1 : remainder >> 1 ^ 0x82f6_3b78
    }
  }

  /// - Parameter hole: bytes that are taken as zeros: where the checksum itself stands.
  static func checksum(_ bytes: Span<UInt8>, _ range: Range<Int>, asIfZero hole: Range<Int>) -> UInt32 {
    ~range.reduce(~UInt32(0)) { remainder, position in
      let byte = hole.contains(position) ? 0 : bytes[position]
      return remainder >> 8 ^ table[Int(UInt8(truncatingIfNeeded: remainder) ^ byte)]
    }
  }
}
