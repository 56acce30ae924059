package import AccessPolicy

/// What holds for every finding about a file, whatever the file is.
package enum DiagnosticInvariants {
  /// Every finding lies in the file, says something, and cannot write to the terminal that shows it
  /// (control characters of the file, quoted in a message, would).
  package static func check(_ diagnostics: [Diagnostic], of text: [UInt8], file: String) {
    let lines = Lines(text)
    for diagnostic in diagnostics {
      let place = diagnostic.location
      Invariant.hold(place.file == file, "\(diagnostic) names another file")
      Invariant.hold(lines.contain(place), "\(diagnostic) lies outside of the file")
      Invariant.hold(!diagnostic.message.isEmpty, "\(diagnostic) says nothing")
      for words in [diagnostic.code, diagnostic.message, diagnostic.hint ?? ""] {
        Invariant.hold(!hasControl(words), "\(diagnostic) holds a control character")
      }
      Invariant.hold(isCode(diagnostic.code), "\(diagnostic.code) is no code")
    }
  }

  /// A reader gives a value if and only if it found no error.
  package static func check(value isThere: Bool, _ diagnostics: [Diagnostic]) {
    let failed = diagnostics.contains { $0.severity == .error }
    Invariant.hold(isThere != failed, "a value \(isThere), an error \(failed)")
  }

  /// Whether the text holds C0, DEL or C1.
  package static func hasControl(_ text: String) -> Bool {
    text.unicodeScalars.contains { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) }
  }

  private static func isCode(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { $0 == 0x2d || (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) }
  }
}

/// The lines of a text, counted as YAML 1.1 does (section 5.4: CR, LF, CR LF, NEL, LS and PS end one) and as
/// editors do (LF, CR LF). A place may follow either: the two differ only in texts that nobody writes.
private struct Lines {
  private var yaml = [0]
  private var editor = [0]
  private let isUTF8: Bool
  private let bytes: Int

  init(_ text: [UInt8]) {
    bytes = text.count
    let decoded = String(validating: text, as: UTF8.self)
    isUTF8 = decoded != nil
    var previous: Unicode.Scalar = " "
    for scalar in (decoded ?? "").unicodeScalars {
      switch scalar {
      case "\n" where previous == "\r": break
      case "\r", "\n", "\u{85}", "\u{2028}", "\u{2029}": yaml.append(0)
      default: yaml[yaml.count - 1] += 1
      }
      if scalar == "\n" { editor.append(0) } else { editor[editor.count - 1] += 1 }
      previous = scalar
    }
  }

  /// Where the text is no UTF-8 there are no characters to count, and only the number of bytes bounds.
  func contain(_ place: SourceLocation) -> Bool {
    guard place.line >= 0, place.column >= 0 else { return false }
    if place.line == 0 { return place.column == 0 }
    guard isUTF8 else { return place.line <= bytes + 1 && place.column <= bytes + 1 }
    return Self.contain(place, yaml) || Self.contain(place, editor)
  }

  /// One column behind the end of a line, and the line behind the last one, are where an end is missing.
  private static func contain(_ place: SourceLocation, _ lengths: [Int]) -> Bool {
    if place.line == lengths.count + 1 { return place.column <= 1 }
    return place.line <= lengths.count && place.column <= lengths[place.line - 1] + 1
  }
}
