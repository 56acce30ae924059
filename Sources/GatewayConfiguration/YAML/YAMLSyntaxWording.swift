import AccessPolicy

/// Turns libyaml's words for a syntax error into a diagnostic with a way out.
enum YAMLSyntaxWording {
  /// - Parameter start: how many bytes of `text` were skipped before libyaml saw it.
  static func report(_ failure: YAMLEventStream.Failure, text: [UInt8], start: Int, findings: Findings) {
    switch failure.place {
    case .byte(let offset):
      let mark = Self.mark(ofByte: start + offset, in: text)
      let encoding = failure.problem != "control characters are not allowed"
      findings.error(
        at: mark, encoding ? "encoding" : "control-character",
        encoding ? "the file is not valid UTF-8: \(failure.problem)" : "found a control character",
        hint: encoding
          ? "save the file as UTF-8" : "remove it; a quoted text can hold it as an escape such as \"\\x07\"")
    case .mark(let mark):
      findings.error(at: mark, "yaml-syntax", sentence(failure, line: mark.line), hint: hint(failure.problem))
    case .unknown:
      findings.error(at: findings.wholeFile, "yaml-syntax", failure.problem)
    }
  }

  private static func sentence(_ failure: YAMLEventStream.Failure, line: UInt32) -> String {
    var text = "this is not YAML: \(failure.problem)"
    if let context = failure.context {
      text += " \(context)"
      if let mark = failure.contextMark, mark.line != line { text += " which begins in line \(mark.line)" }
    }
    return text
  }

  private static func hint(_ problem: String) -> String? {
    switch problem {
    case "could not find expected ':'":
      "a key needs a colon and a space behind it"
    case "mapping values are not allowed in this context":
      "quote a text that holds \": \", and check the indentation"
    case "did not find expected key", "did not find expected '-' indicator":
      "check the indentation of this line and of the one before"
    case "did not find expected ',' or ']'", "did not find expected ',' or '}'":
      "close the bracket, and quote a text that holds one of , [ ] { }"
    case "did not find expected node content":
      "quote a text that begins with \"[\" or \"{\", such as \"[::]:6432\""
    case "found character that cannot start any token":
      "indent with spaces, not tabs, and quote a text that begins with @, ` or %"
    case "found a tab character that violates indentation",
      "found a tab character where an indentation space is expected":
      "indent with spaces, not tabs"
    case "found unexpected end of stream", "found unexpected document indicator":
      "a quote that was opened before is never closed"
    case "found unknown escape character":
      "in double quotes a backslash begins an escape; write the text in single quotes"
    case "did not find expected alphabetic or numeric character":
      "quote a text that begins with * or &"
    case "did not find expected <document start>":
      "check the indentation: this line belongs to nothing above it"
    default: nil
    }
  }

  private static func mark(ofByte offset: Int, in text: [UInt8]) -> YAMLMark {
    let before = text.prefix(offset)
    let lineStart = (before.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
    let line = before.count(where: { $0 == UInt8(ascii: "\n") }) + 1
    // Every byte that is not a continuation byte (RFC 3629 §3) begins a character.
    let column = before[lineStart...].count(where: { $0 & 0xC0 != 0x80 }) + 1
    return YAMLMark(line: UInt32(clamping: line), column: UInt32(clamping: column))
  }
}
