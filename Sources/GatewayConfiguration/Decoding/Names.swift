import AccessPolicy

/// Names of listeners and upstreams, and the references to them.
extension Findings {
  /// `[A-Za-z0-9][A-Za-z0-9._-]{0,62}`: a name goes into metrics labels, globs and log lines as it is.
  func name(_ node: YAMLNode) -> Located<String>? {
    guard let name = text(node, expected: "a name") else { return nil }
    guard Self.isName(name.value) else {
      error(
        at: node.mark, "invalid-value", "\(Wording.quote(name.value)) is not a name",
        hint: "names have 1 to 63 letters, digits, \".\", \"_\" and \"-\", and begin with a letter or digit")
      return nil
    }
    return name
  }

  /// Reports each name that stands twice.
  func duplicates(_ names: [Located<String>], of what: String) {
    var first: [String: SourceLocation] = [:]
    for name in names {
      if let earlier = first[name.value] {
        error(
          at: name.location, "duplicate-name", "the \(what) \(Wording.quote(name.value)) is defined twice",
          hint: "the first one is in line \(earlier.line); names are unique")
      } else {
        first[name.value] = name.location
      }
    }
  }

  /// A path, resolved against the folder of this file.
  func path(_ node: YAMLNode, of what: String) -> Located<String>? {
    guard let path = text(node, expected: "the path of \(what)") else { return nil }
    return Located(Paths.resolve(path.value, besides: file), at: path.location)
  }

  private static func isName(_ name: String) -> Bool {
    guard (1...63).contains(name.utf8.count) else { return false }
    return name.utf8.enumerated().allSatisfy { index, byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): index > 0
      default: false
      }
    }
  }
}

/// Paths as text: nothing here asks the file system.
enum Paths {
  /// - Returns: `path` if it is absolute, else as seen from the folder that holds `file`.
  static func resolve(_ path: String, besides file: String) -> String {
    guard !path.hasPrefix("/"), let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
    return String(file[...slash]) + path
  }
}
