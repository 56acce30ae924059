/// The keys of one kind of mapping: what decoders accept, hints are chosen from, and the reference lists.
struct Schema: Sendable {
  struct Key: Sendable {
    var name: String
    var required: Bool

    static func required(_ name: String) -> Key { Key(name: name, required: true) }
    static func optional(_ name: String) -> Key { Key(name: name, required: false) }
  }

  /// Where such a mapping stands, as the reference names it: `listeners[].tls`; empty for the whole file.
  var path: String
  /// What such a mapping is in a diagnostic: `a listener`.
  var noun: String
  var keys: [Key]

  var isWholeFile: Bool { path.isEmpty }

  var names: [String] { keys.map(\.name) }

  func has(_ name: String) -> Bool { keys.contains { $0.name == name } }
}

/// A mapping whose keys were checked against its schema.
struct CheckedMapping {
  let schema: Schema
  let mark: YAMLMark
  private let entries: [YAMLEntry]

  /// Reports a value that is no mapping, and keys that are unknown or missing.
  /// - Returns: nil where the value is no mapping.
  init?(_ node: YAMLNode, _ schema: Schema, _ findings: Findings) {
    guard case .mapping(let entries) = node.content else {
      // A file that is something else as a whole may be a private key that a mistyped path names.
      findings.wrongType(node, expected: "a mapping for \(schema.noun)", quoting: !schema.isWholeFile)
      return nil
    }
    self.schema = schema
    self.mark = node.mark
    self.entries = entries
    reportUnknown(findings)
    reportMissing(findings)
  }

  /// The value of a key; nil where the key is not there.
  subscript(key: String) -> YAMLNode? { entries.first { $0.key == key }?.value }

  /// Where a key stands; the mapping's own place where the key is not there.
  func mark(of key: String) -> YAMLMark { entries.first { $0.key == key }?.keyMark ?? mark }

  var hasUnknownKeys: Bool { entries.contains { !schema.has($0.key) } }

  private func reportUnknown(_ findings: Findings) {
    for entry in entries where !schema.has(entry.key) {
      findings.error(
        at: entry.keyMark, "unknown-key", "unknown key \(Wording.quote(entry.key)) in \(schema.noun)",
        hint: Wording.nearest(to: entry.key, among: schema.names))
    }
  }

  private func reportMissing(_ findings: Findings) {
    for key in schema.keys where key.required && self[key.name] == nil {
      findings.error(at: mark, "missing-key", "\(schema.noun) needs the key \"\(key.name)\"")
    }
  }
}
