import AccessPolicy

/// What a string looks like between the quotes of a JSON line.
///
/// RFC 8259 §7 asks for less than is done here: a log is read in terminals and split at line ends, so DEL,
/// the C1 controls, the two Unicode line separators and the marks that turn the writing direction are
/// escaped as well. A parser gets the same value back.
enum JSONText {
  /// No value is longer than this many bytes of UTF-8, its mark included.
  static let limit = CutValue.limit
  /// Ends a value that was cut.
  static let mark = CutValue.mark

  static func append(_ text: String, to bytes: inout [UInt8]) {
    if isPlain(text.utf8.span) {
      bytes.append(contentsOf: text.utf8)
    } else {
      for scalar in text.unicodeScalars { append(scalar, to: &bytes) }
    }
  }

  /// The longest beginning that leaves room for the mark, of a text that is longer than the limit. Slicing a
  /// string rounds an index inside of a scalar down to its start, so no scalar is cut in two.
  static func cut(_ text: String) -> String {
    text[..<text.utf8.index(text.startIndex, offsetBy: limit - mark.utf8.count)] + mark
  }

  /// Whether every byte may stand as it is. The lead bytes 0xC2, 0xD8 and 0xE2 may begin a scalar that is
  /// escaped, so a text that has one is looked at scalar by scalar.
  private static func isPlain(_ utf8: borrowing Span<UInt8>) -> Bool {
    for index in utf8.indices {
      let byte = utf8[index]
      if byte < 0x20 || byte == 0x22 || byte == 0x5c || byte == 0x7f { return false }
      if byte >= 0x80, byte == 0xc2 || byte == 0xd8 || byte == 0xe2 { return false }
    }
    return true
  }

  /// Whether a scalar acts on a terminal or a line instead of being seen. All are in the first plane.
  static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7f...0x9f: true  // C0, DEL, C1
    case 0x2028, 0x2029: true  // LINE SEPARATOR, PARAGRAPH SEPARATOR
    case 0x061c, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069: true  // Unicode TR 9 §2
    default: false
    }
  }

  private static func append(_ scalar: Unicode.Scalar, to bytes: inout [UInt8]) {
    switch scalar.value {
    case 0x22: bytes.append(contentsOf: "\\\"".utf8)
    case 0x5c: bytes.append(contentsOf: "\\\\".utf8)
    case 0x08: bytes.append(contentsOf: "\\b".utf8)
    case 0x09: bytes.append(contentsOf: "\\t".utf8)
    case 0x0a: bytes.append(contentsOf: "\\n".utf8)
    case 0x0c: bytes.append(contentsOf: "\\f".utf8)
    case 0x0d: bytes.append(contentsOf: "\\r".utf8)
    case _ where isHidden(scalar):
      bytes.append(contentsOf: "\\u".utf8)
      for shift in [12, 8, 4, 0] { bytes.append(Hex.digit(scalar.value >> UInt32(shift))) }
    default:
      bytes.append(contentsOf: String(scalar).utf8)
    }
  }
}

/// Lowercase hexadecimal.
enum Hex {
  /// The digit of the low four bits.
  static func digit(_ value: UInt32) -> UInt8 {
    let nibble = UInt8(truncatingIfNeeded: value & 0xf)
    return nibble < 10 ? 0x30 + nibble : 0x57 + nibble
  }

  static func append(_ digest: [UInt8], to bytes: inout [UInt8]) {
    for byte in digest {
      bytes.append(digit(UInt32(byte >> 4)))
      bytes.append(digit(UInt32(byte)))
    }
  }

  static func text(_ digest: [UInt8]) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digest.count * 2)
    append(digest, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A 128-bit number as 32 digits.
  static func text(_ number: UInt128) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32)
    for shift in stride(from: 124, through: 0, by: -4) {
      bytes.append(digit(UInt32(truncatingIfNeeded: number >> UInt128(shift))))
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// Text that came as bytes from outside.
package enum AuditText {
  /// The text for a terminal: a record's values come from strangers, and what could steer the terminal is
  /// shown as an escape.
  package static func printable(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      if JSONText.isHidden(scalar) {
        result += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// The bytes as text: each byte that is not part of UTF-8 becomes the four characters `\xNN`. A backslash of
  /// the input stays as it is, so such text is for people; nothing is decided by it.
  package static func text(of bytes: [UInt8]) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    var text = ""
    var rest = bytes[...]
    while let first = rest.first {
      let length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
      if let scalar = String(validating: rest.prefix(length), as: UTF8.self) {
        text += scalar
        rest = rest.dropFirst(length)
      } else {
        text += "\\x" + Hex.text([first])
        rest = rest.dropFirst()
      }
    }
    return text
  }
}
