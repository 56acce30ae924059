import Patterns

/// Checks and normalises what a policy compares with a field of bytes: capitals and colons are accepted, as
/// tools print them, and anything else that could never match is refused.
struct HexadecimalText {
  let field: Field

  /// A whole value.
  func value(_ text: String) throws(PatternError) -> String {
    if field.hexadecimalDigits == 64, text.contains(where: { !$0.isHexDigit && $0 != ":" }),
      let digits = PastedPin.digits(text)
    {
      throw PatternError("expected 64 hexadecimal digits, found '\(text)', which is \(digits)")
    }
    let digits = try part(text, allowing: nil)
    guard !digits.isEmpty else { throw PatternError("expected hexadecimal digits, found '\(text)'") }
    if let count = field.hexadecimalDigits, digits.utf8.count != count {
      throw PatternError("expected \(count) hexadecimal digits, found \(digits.utf8.count)")
    }
    return field.canonical(digits)
  }

  /// The beginning of a value.
  func prefix(_ text: String) throws(PatternError) -> String {
    let digits = try part(text, allowing: nil)
    // A serial is compared as a number, without leading zeros: without them "00" would begin every one.
    guard field != .serial || digits.utf8.first != UInt8(ascii: "0") else {
      throw PatternError("a serial number is compared without leading zeros, so none begins with '\(text)'")
    }
    return digits
  }

  /// Another part of a value, in which stars may stand.
  /// - Parameter star: a character that is kept as it is.
  func part(_ text: String, allowing star: Unicode.Scalar?) throws(PatternError) -> String {
    var digits = ""
    for scalar in text.unicodeScalars where scalar != ":" {
      guard scalar == star || (scalar.isASCII && scalar.properties.isASCIIHexDigit) else {
        throw PatternError("'\(text)' is not hexadecimal")
      }
      digits.unicodeScalars.append(scalar)
    }
    return digits.asciiLowercased()
  }
}
