import COpenSSL

/// The text of an ASN.1 string, converted exactly or not at all: a name that two programs could read in two
/// ways must not name a caller (CVE-2026-47778, CVE-2026-33248).
enum NameText: Equatable {
  case text(String)
  case unreadable(problem: String)

  /// - Parameter type: the universal tag of X.680.
  init(type: Int32, bytes: [UInt8]) {
    switch type {
    case V_ASN1_UTF8STRING: self = .utf8(bytes)
    case V_ASN1_IA5STRING: self = .ascii(bytes, "IA5String", NameText.isASCII)
    case V_ASN1_PRINTABLESTRING: self = .ascii(bytes, "PrintableString", NameText.isPrintable)
    case V_ASN1_NUMERICSTRING:
      self = .ascii(bytes, "NumericString") { (0x30...0x39).contains($0) || $0 == 0x20 }
    case V_ASN1_VISIBLESTRING: self = .ascii(bytes, "VisibleString") { (0x20...0x7e).contains($0) }
    case V_ASN1_T61STRING: self = .ascii(bytes, "TeletexString", NameText.isSameInTeletex)
    case V_ASN1_BMPSTRING: self = .wide(bytes, "BMPString", width: 2)
    case V_ASN1_UNIVERSALSTRING: self = .wide(bytes, "UniversalString", width: 4)
    default: self = .unreadable(problem: "is not a text string (ASN.1 tag \(type))")
    }
  }

  /// Whether a value of the tag is meant as text at all.
  static func isString(_ type: Int32) -> Bool {
    switch type {
    case V_ASN1_UTF8STRING, V_ASN1_IA5STRING, V_ASN1_PRINTABLESTRING, V_ASN1_NUMERICSTRING,
      V_ASN1_VISIBLESTRING, V_ASN1_T61STRING, V_ASN1_BMPSTRING, V_ASN1_UNIVERSALSTRING,
      V_ASN1_GENERALSTRING, V_ASN1_GRAPHICSTRING, V_ASN1_VIDEOTEXSTRING:
      true
    default: false
    }
  }

  private static func utf8(_ bytes: [UInt8]) -> NameText {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      return .unreadable(problem: "is not valid UTF-8")
    }
    return .checked(text)
  }

  private static func ascii(_ bytes: [UInt8], _ type: String, _ allowed: (UInt8) -> Bool) -> NameText {
    if let byte = bytes.first(where: { $0 < 0x80 && isControl(Unicode.Scalar($0)) }) {
      return .unreadable(problem: controlProblem(Unicode.Scalar(byte)))
    }
    if let byte = bytes.first(where: { !allowed($0) }) {
      return .unreadable(problem: "holds the byte 0x\(hexadecimal([byte])), which no \(type) may")
    }
    return .text(String(decoding: bytes, as: UTF8.self))
  }

  /// UCS-2 and UCS-4, both big-endian (X.690 §8.23); neither has surrogates.
  private static func wide(_ bytes: [UInt8], _ type: String, width: Int) -> NameText {
    guard bytes.count.isMultiple(of: width) else {
      return .unreadable(problem: "is a \(type) of \(bytes.count) bytes, which ends within a character")
    }
    var text = String.UnicodeScalarView()
    for start in stride(from: 0, to: bytes.count, by: width) {
      let value = bytes[start..<start + width].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      guard let scalar = Unicode.Scalar(value) else {
        return .unreadable(
          problem: "holds 0x\(String(value, radix: 16)), which is no character, in a \(type)")
      }
      text.append(scalar)
    }
    return .checked(String(text))
  }

  private static func checked(_ text: String) -> NameText {
    if let scalar = text.unicodeScalars.first(where: isControl) {
      return .unreadable(problem: controlProblem(scalar))
    }
    return .text(text)
  }

  /// C0, DEL and C1.
  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
  }

  private static func controlProblem(_ scalar: Unicode.Scalar) -> String {
    if scalar.value == 0 { return "contains NUL" }
    let digits = String(scalar.value, radix: 16, uppercase: true)
    return "contains the control character U+" + String(repeating: "0", count: 4 - digits.count) + digits
  }

  private static func isASCII(_ byte: UInt8) -> Bool { byte < 0x80 }

  /// X.680 §41.4, table 10.
  private static func isPrintable(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x27...0x29, 0x2b...0x2f, 0x3a, 0x3d, 0x3f, 0x20: true
    default: false
    }
  }

  /// Where T.61 and ASCII agree. The rest of TeletexString is read as T.61 by some, as Latin-1 by others.
  private static func isSameInTeletex(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x23, 0x24, 0x5c, 0x5e, 0x60, 0x7b, 0x7d, 0x7e: false
    default: (0x20...0x7e).contains(byte)
    }
  }
}
