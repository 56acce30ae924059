import AccessPolicy

/// A place in a YAML file. Both count from 1; columns are characters (Unicode scalars), not bytes.
struct YAMLMark: Sendable, Hashable {
  var line: UInt32
  var column: UInt32

  func location(in file: String) -> SourceLocation {
    SourceLocation(file: file, line: Int(line), column: Int(column))
  }
}

/// A YAML value and where it begins. Scalars stay text: what they mean is for our schema to say, so that
/// `no` is never a boolean, `1.10` never a float and `12:30` never a number in base 60.
struct YAMLNode: Sendable {
  enum Content: Sendable {
    /// - Parameter quoted: written with quotes or as a block scalar. Only then is `null` a text.
    case scalar(String, quoted: Bool)
    case sequence([YAMLNode])
    /// Keys in the order of the file, each of them once.
    case mapping([YAMLEntry])
    /// Something that was refused and reported already; who meets it says nothing more.
    case refused
  }

  var content: Content
  var mark: YAMLMark
}

/// A key of a mapping with its value.
struct YAMLEntry: Sendable {
  var key: String
  var keyMark: YAMLMark
  var value: YAMLNode
}

extension YAMLNode {
  /// What the node is, in the words of a diagnostic.
  var found: String {
    switch content {
    case .scalar where isNothing: "nothing"
    case .scalar(let text, _): Wording.quote(text)
    case .sequence: "a list"
    case .mapping: "a mapping"
    case .refused: "something refused"
    }
  }

  /// The same without any text of the file.
  var kind: String {
    if case .scalar = content, !isNothing { return "a text" }
    return found
  }

  /// Whether the node is `key:` without a value, or one of YAML's words for nothing, unquoted.
  var isNothing: Bool {
    guard case .scalar(let text, quoted: false) = content else { return false }
    switch text {
    case "", "~", "null", "Null", "NULL": return true
    default: return false
    }
  }

  var isRefused: Bool {
    if case .refused = content { return true }
    return false
  }
}
