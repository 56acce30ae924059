/// Patterns where a plain value says the same: it is found faster, needs no escapes, and cannot mean more than
/// it seems to.
enum PatternLint {
  static func findings(_ documents: [PolicyDocument]) -> [Diagnostic] {
    var findings: [Diagnostic] = []
    for document in documents {
      for entry in document.callers { look(at: entry.match, &findings) }
      for rule in document.rules { look(at: rule.when + rule.unless, &findings) }
    }
    return findings
  }

  private static func look(at conditions: [Condition], _ findings: inout [Diagnostic]) {
    for condition in conditions {
      for alternative in condition.alternatives {
        switch alternative.value {
        case .glob(let text) where isPlain(text) && !text.utf8.contains(UInt8(ascii: "*")):
          findings.warning(
            "needless-pattern", at: alternative.location,
            "the glob '\(text)' has no '*', so it matches this one value only",
            hint: "write the plain value: \(condition.field.name): \(text)")
        case .regex(let text): look(atRegex: text, condition.field, alternative.location, &findings)
        default: break
        }
      }
    }
  }

  private static func look(
    atRegex text: String, _ field: Field, _ location: SourceLocation, _ findings: inout [Diagnostic]
  ) {
    guard let reading = RegexReading(text), reading.alternatives.allSatisfy(isPlain) else { return }
    if reading.hasBareDot {
      findings.warning(
        "regex-dot", at: location, "'.' in the regex '\(text)' matches any character, not only a dot",
        hint: "for the text itself write \(field.name): \(list(reading.alternatives)); for any character [^/]"
      )
    } else {
      findings.warning(
        "needless-pattern", at: location,
        "the regex '\(text)' matches \(reading.alternatives.count == 1 ? "this one value" : "these values") only",
        hint: "write \(field.name): \(list(reading.alternatives))")
    }
  }

  /// Braces in a plain value are captures, so a value with braces needs its pattern.
  private static func isPlain(_ text: String) -> Bool {
    !text.isEmpty && !text.utf8.contains { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }
  }

  private static func list(_ texts: [String]) -> String { texts.asList }
}

/// A regular expression that only spells out texts: letters, escaped punctuation, and `|` at the top.
private struct RegexReading {
  private(set) var alternatives: [String] = [""]
  /// A `.` between letters or digits, as in names that somebody forgot to escape.
  private(set) var hasBareDot = false

  /// - Returns: nil where it says more than texts.
  init?(_ pattern: String) {
    let scalars = Array(pattern.unicodeScalars)
    var index = 0
    while index < scalars.count {
      let scalar = scalars[index]
      switch scalar {
      case "\\":
        // Behind a backslash, punctuation stands for itself; letters and digits have a meaning of their own.
        guard index + 1 < scalars.count, Self.isPunctuation(scalars[index + 1]) else { return nil }
        index += 1
        append(scalars[index])
      case ".":
        guard Self.isWord(scalars, index - 1), Self.isWord(scalars, index + 1) else { return nil }
        hasBareDot = true
        append(scalar)
      case "|": alternatives.append("")
      case "*", "+", "?", "(", ")", "[", "]", "{", "}", "^", "$": return nil
      default: append(scalar)
      }
      index += 1
    }
  }

  private mutating func append(_ scalar: Unicode.Scalar) {
    alternatives[alternatives.count - 1].unicodeScalars.append(scalar)
  }

  private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII && scalar.value > 0x20 && scalar.value != 0x7f && !isWord([scalar], 0)
  }

  private static func isWord(_ scalars: [Unicode.Scalar], _ index: Int) -> Bool {
    guard scalars.indices.contains(index) else { return false }
    return switch scalars[index].value {
    case 48...57, 65...90, 97...122: true
    default: false
    }
  }
}
