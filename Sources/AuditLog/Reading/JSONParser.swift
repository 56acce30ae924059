/// Parses one line of JSON (RFC 8259), strictly: a log may have been written by somebody else.
package struct JSONParser {
  /// Records are five levels deep; a hostile file must not exhaust the stack.
  private static let deepest = 32

  private let bytes: ArraySlice<UInt8>
  private var index: Int
  private var depth = 0

  /// - Parameter line: the bytes of one value, without an end of line.
  package static func parse(_ line: ArraySlice<UInt8>) throws(JSONError) -> JSONValue {
    var parser = JSONParser(bytes: line, index: line.startIndex)
    let value = try parser.value()
    parser.skipSpace()
    guard parser.index == line.endIndex else { throw parser.error("more text behind the value") }
    return value
  }

  private init(bytes: ArraySlice<UInt8>, index: Int) {
    self.bytes = bytes
    self.index = index
  }

  private func error(_ message: String) -> JSONError {
    JSONError(offset: index - bytes.startIndex, message: message)
  }

  private var byte: UInt8? { index < bytes.endIndex ? bytes[index] : nil }

  private mutating func skipSpace() {
    while let byte, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { index += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) throws(JSONError) {
    guard byte == UInt8(ascii: character) else { throw error("expected “\(character)”") }
    index += 1
  }

  private mutating func accept(_ character: Unicode.Scalar) -> Bool {
    guard byte == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  private mutating func value() throws(JSONError) -> JSONValue {
    skipSpace()
    switch byte {
    case UInt8(ascii: "{"): return try nested { (parser) throws(JSONError) in try parser.object() }
    case UInt8(ascii: "["): return try nested { (parser) throws(JSONError) in try parser.array() }
    case UInt8(ascii: "\""): return .text(try string())
    case .some(0x30...0x39), UInt8(ascii: "-"): return .number(try number())
    default: return try word()
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(JSONError) -> JSONValue
  ) throws(JSONError) -> JSONValue {
    guard depth < Self.deepest else { throw error("nested too deeply") }
    depth += 1
    index += 1
    let value = try body(&self)
    depth -= 1
    return value
  }

  private mutating func object() throws(JSONError) -> JSONValue {
    var members: [String: JSONValue] = [:]
    skipSpace()
    if accept("}") { return .object(members) }
    repeat {
      skipSpace()
      let name = try string()
      skipSpace()
      try take(":")
      // Two values for one name: readers differ in which they take (RFC 8259 §4), so neither counts.
      guard members.updateValue(try value(), forKey: name) == nil else { throw error("“\(name)” twice") }
      skipSpace()
    } while accept(",")
    try take("}")
    return .object(members)
  }

  private mutating func array() throws(JSONError) -> JSONValue {
    var values: [JSONValue] = []
    skipSpace()
    if accept("]") { return .array(values) }
    repeat {
      values.append(try value())
      skipSpace()
    } while accept(",")
    try take("]")
    return .array(values)
  }

  private mutating func word() throws(JSONError) -> JSONValue {
    let words: [(String, JSONValue)] = [("true", .flag(true)), ("false", .flag(false)), ("null", .null)]
    for (word, value) in words where bytes[index...].starts(with: word.utf8) {
      index += word.utf8.count
      return value
    }
    throw error("expected a value")
  }

  private mutating func number() throws(JSONError) -> String {
    let start = index
    _ = accept("-")
    if !accept("0") { try digits() }
    if accept(".") { try digits() }
    if accept("e") || accept("E") {
      if !accept("+") { _ = accept("-") }
      try digits()
    }
    return String(decoding: bytes[start..<index], as: UTF8.self)
  }

  private mutating func digits() throws(JSONError) {
    let start = index
    while let byte, (0x30...0x39).contains(byte) { index += 1 }
    guard index > start else { throw error("expected a digit") }
  }

  private mutating func string() throws(JSONError) -> String {
    try take("\"")
    var content: [UInt8] = []
    while let byte {
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        guard let text = String(validating: content, as: UTF8.self) else { throw error("invalid UTF-8") }
        return text
      case UInt8(ascii: "\\"):
        index += 1
        content += Array(try escape().utf8)
      case ..<0x20: throw error("a control character in a string")
      default:
        content.append(byte)
        index += 1
      }
    }
    throw error("a string without an end")
  }

  private mutating func escape() throws(JSONError) -> String {
    let plain: [UInt8: String] = [
      0x22: "\"", 0x5c: "\\", 0x2f: "/", 0x62: "\u{8}", 0x66: "\u{c}", 0x6e: "\n", 0x72: "\r", 0x74: "\t",
    ]
    guard let byte else { throw error("a string without an end") }
    index += 1
    if let text = plain[byte] { return text }
    guard byte == UInt8(ascii: "u") else { throw error("an unknown escape") }
    let unit = try codeUnit()
    if let scalar = Unicode.Scalar(unit) { return String(scalar) }
    guard UTF16.isLeadSurrogate(unit), accept("\\"), accept("u") else { throw error("half a surrogate pair") }
    let trail = try codeUnit()
    guard UTF16.isTrailSurrogate(trail) else { throw error("half a surrogate pair") }
    return String(decoding: [unit, trail], as: UTF16.self)
  }

  private mutating func codeUnit() throws(JSONError) -> UInt16 {
    let digits = bytes[index...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw error("expected four hexadecimal digits") }
    index += 4
    return unit
  }
}
