/// Text with `{names}` in it, such as `spiffe://acme.example/worker/{worker}`.
///
/// In a matcher a name captures what stands in its place: a part of one segment, at least one character, up
/// to the text behind it. A segment holds at most one capture, so that a value can be read in one way only.
/// In a result the names are filled in. Braces that hold no name are an error, not text.
package struct CaptureTemplate: Hashable, Sendable {
  package enum Piece: Hashable, Sendable {
    case literal(String)
    case capture(String)
  }

  package let pieces: [Piece]

  /// - Throws: where a brace is not closed, a name is not `[A-Za-z_][A-Za-z0-9_]*`, or a name comes twice.
  package init(_ text: String) throws(PatternError) {
    var pieces: [Piece] = []
    var rest = Substring(text)
    while let open = rest.unicodeScalars.firstIndex(where: { $0 == "{" || $0 == "}" }) {
      let offset = text.utf8.distance(from: text.startIndex, to: open)
      guard rest.unicodeScalars[open] == "{" else { throw PatternError("'}' without '{'", offset: offset) }
      if open > rest.startIndex { pieces.append(.literal(String(rest[..<open]))) }
      let behind = rest[rest.unicodeScalars.index(after: open)...]
      guard let close = behind.unicodeScalars.firstIndex(of: "}") else {
        throw PatternError("'{' is not closed", offset: offset)
      }
      let name = String(behind[..<close])
      guard Self.isName(name) else {
        throw PatternError("'{\(name)}' is no capture: a name is letters, digits and '_'", offset: offset)
      }
      guard !pieces.contains(.capture(name)) else {
        throw PatternError("{\(name)} stands twice", offset: offset)
      }
      pieces.append(.capture(name))
      rest = behind[behind.unicodeScalars.index(after: close)...]
    }
    if !rest.isEmpty { pieces.append(.literal(String(rest))) }
    self.pieces = pieces
  }

  /// The names, in order.
  package var names: [String] {
    pieces.compactMap { if case .capture(let name) = $0 { name } else { nil } }
  }

  /// The text, where it holds no names.
  package var literal: String? {
    switch pieces.count {
    case 0: ""
    case 1: if case .literal(let text) = pieces[0] { text } else { nil }
    default: nil
    }
  }

  /// The text before the first name.
  package var literalPrefix: String {
    if case .literal(let text)? = pieces.first { text } else { "" }
  }

  /// - Returns: the text with each name replaced by its value; nil where one has none.
  package func filled(_ value: (String) -> String?) -> String? {
    var result = ""
    for piece in pieces {
      switch piece {
      case .literal(let text): result += text
      case .capture(let name):
        guard let value = value(name) else { return nil }
        result += value
      }
    }
    return result
  }

  private static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, !(48...57).contains(first) else { return false }
    return text.utf8.allSatisfy {
      (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95
    }
  }
}
