import AccessPolicy

/// Writes the members of JSON objects into bytes: nil members and empty objects leave nothing behind.
struct JSONWriter {
  /// A value that was longer than the log holds.
  struct Cut {
    var field: String
    /// Its place, where the field is an array.
    var index: Int?
    /// How long it was, in bytes.
    var bytes: Int
    var sha256: String
  }

  private(set) var bytes: [UInt8] = []
  private(set) var cuts: [Cut] = []
  private var needsComma = false
  private var path: [String] = []
  private let digest: Digest

  init(capacity: Int, digest: @escaping Digest) {
    self.digest = digest
    bytes.reserveCapacity(capacity)
    path.reserveCapacity(8)
  }

  mutating func object(_ name: String, _ body: (inout JSONWriter) -> Void) {
    let mark = bytes.count
    let comma = needsComma
    key(name)
    path.append(name)
    braces(body)
    path.removeLast()
    if bytes[bytes.count - 2] == UInt8(ascii: "{") {
      bytes.removeLast(bytes.count - mark)
      needsComma = comma
    }
  }

  /// An array of objects; absent where there are no elements.
  mutating func objects<Element>(
    _ name: String, _ elements: [Element], _ body: (inout JSONWriter, Element) -> Void
  ) {
    guard !elements.isEmpty else { return }
    key(name)
    path.append(name)
    bytes.append(UInt8(ascii: "["))
    for (index, element) in elements.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      braces { body(&$0, element) }
    }
    bytes.append(UInt8(ascii: "]"))
    path.removeLast()
    needsComma = true
  }

  mutating func text(_ name: String, _ value: String?) {
    guard let value else { return }
    key(name)
    string(value, name, index: nil)
  }

  mutating func texts(_ name: String, _ values: [String]) {
    key(name)
    bytes.append(UInt8(ascii: "["))
    for (index, value) in values.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      string(value, name, index: index)
    }
    bytes.append(UInt8(ascii: "]"))
  }

  mutating func integer(_ name: String, _ value: (some BinaryInteger)?) {
    guard let value else { return }
    key(name)
    bytes.append(contentsOf: String(value).utf8)
  }

  mutating func flag(_ name: String, _ value: Bool?) {
    guard let value else { return }
    key(name)
    bytes.append(contentsOf: (value ? "true" : "false").utf8)
  }

  mutating func instant(_ name: String, _ value: Timestamp?) {
    guard let value else { return }
    key(name)
    bytes.append(UInt8(ascii: "\""))
    InstantText.append(value, to: &bytes)
    bytes.append(UInt8(ascii: "\""))
  }

  /// An object whose names come from policy files: they are escaped, and so can be no member of ours.
  mutating func captures(_ captures: [String: String]) {
    guard !captures.isEmpty else { return }
    object("captures") {
      for (name, value) in captures.sorted(by: { $0.key < $1.key }) {
        var escaped: [UInt8] = []
        JSONText.append(name, to: &escaped)
        $0.text(String(decoding: escaped, as: UTF8.self), value)
      }
    }
  }

  /// Members that were written before, in the same notation and without braces.
  mutating func members(_ encoded: [UInt8]) {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    bytes.append(contentsOf: encoded)
    needsComma = true
  }

  /// An object without a name: the line itself, or an element.
  mutating func braces(_ body: (inout JSONWriter) -> Void) {
    bytes.append(UInt8(ascii: "{"))
    needsComma = false
    body(&self)
    bytes.append(UInt8(ascii: "}"))
    needsComma = true
  }

  /// Names are ours and need no escapes; captures alone have foreign ones, see ``captures(_:)``.
  private mutating func key(_ name: String) {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    bytes.append(UInt8(ascii: "\""))
    // For a few bytes a loop is faster than the general copy.
    let span = name.utf8.span
    for index in span.indices { bytes.append(span[index]) }
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
    needsComma = true
  }

  private mutating func string(_ value: String, _ name: String, index: Int?) {
    bytes.append(UInt8(ascii: "\""))
    if value.utf8.count > JSONText.limit {
      let whole = Array(value.utf8)
      let hash = digest(whole)
      cuts.append(
        Cut(
          field: (path + [name]).joined(separator: "."), index: index, bytes: whole.count,
          sha256: Hex.text(hash)))
      JSONText.append(JSONText.cut(value), to: &bytes)
    } else {
      JSONText.append(value, to: &bytes)
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
