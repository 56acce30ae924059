/// Digests as other programs write them, which people paste: recognised to tell what to write in their place.
enum PastedPin {
  /// What stands before a digest: curl's and HPKP's pins, OkHttp's, OpenSSL's and browsers' fingerprints.
  private static let openings = [
    "pin-sha256=", "sha256//", "sha256/", "sha256 fingerprint=", "sha-256 fingerprint=", "sha256=", "sha256:",
  ]

  /// - Returns: the 64 hexadecimal digits that the text means; nil where it means nothing of the kind.
  static func digits(_ text: String) -> String? {
    let lowered = text.asciiLowercased()
    let opening = openings.first { lowered.hasPrefix($0) } ?? ""
    let bare = text.utf8.dropFirst(opening.utf8.count).filter { $0 != UInt8(ascii: "\"") }
    let digits = bare.filter { $0 != UInt8(ascii: ":") }
    if digits.count == 64, digits.allSatisfy(isHexadecimal) {
      return String(decoding: digits, as: UTF8.self).asciiLowercased()
    }
    guard let bytes = base64(bare), bytes.count == 32 else { return nil }
    let table = Array("0123456789abcdef".utf8)
    return String(
      decoding: bytes.flatMap { [table[Int($0 >> 4)], table[Int($0 & 15)]] }, as: UTF8.self)
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
  }

  /// RFC 4648 §4, and the alphabet of §5; padding may be missing.
  private static func base64(_ text: [UInt8]) -> [UInt8]? {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var bytes: [UInt8] = []
    var pending: UInt32 = 0
    var bits = 0
    for byte in text.reversed().drop(while: { $0 == UInt8(ascii: "=") }).reversed() {
      let standard = byte == UInt8(ascii: "-") ? UInt8(ascii: "+") : byte == UInt8(ascii: "_") ? 47 : byte
      guard let digit = alphabet.firstIndex(of: standard) else { return nil }
      pending = pending << 6 | UInt32(digit)
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32(bits)))
      }
    }
    return bytes
  }
}
