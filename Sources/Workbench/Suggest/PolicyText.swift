internal import AccessPolicy
internal import Patterns

/// Writes policy files: text that the reader of policies reads back as exactly these values.
enum PolicyText {
  /// A double-quoted scalar (YAML 1.2 §7.3.1), whatever the text holds.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where isHidden(scalar):
        let digits = String(scalar.value, radix: 16)
        let width = scalar.value > 0xffff ? 8 : 4
        result += (width == 8 ? "\\U" : "\\u") + String(repeating: "0", count: width - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: true
    default: false
    }
  }

  /// A comment: one line, whatever the text holds.
  static func comment(_ text: String, indent: String = "") -> String {
    "\(indent)# \(TerminalText.safe(text))\n"
  }

  /// A condition's value that stands for exactly this text.
  ///
  /// Braces would capture in a plain value, and a policy file has no control characters and no empty text; all
  /// three are written as a regular expression that matches the one text.
  static func exactly(_ text: String) -> String {
    let isPlain =
      !text.isEmpty
      && !text.unicodeScalars.contains { $0 == "{" || $0 == "}" || $0.value < 0x20 || $0.value == 0x7f }
    if isPlain { return quoted(text) }
    return "{ regex: \(quoted(text.isEmpty ? "(?:)" : escaped(text))) }"
  }

  /// The text as a regular expression of PCRE2: everything but ASCII letters and digits is escaped, which is
  /// always the character itself (pcre2pattern(3), BACKSLASH).
  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f: result.unicodeScalars.append(scalar)
      case 0x20...0x7e:
        result += "\\"
        result.unicodeScalars.append(scalar)
      default: result += "\\x{\(String(scalar.value, radix: 16))}"
      }
    }
    return result
  }

  /// Whether a test's `given` can hold the text.
  static func isGivable(_ text: String) -> Bool {
    !text.isEmpty && !text.utf8.contains { $0 < 0x20 || $0 == 0x7f }
  }

  static func caller(_ entry: SuggestedCallers.Entry) -> String {
    let match = entry.match.map { value in
      let text = entry.isTemplate ? quoted(value.value.text) : exactly(value.value.text)
      return "\(value.field.name): \(text)"
    }
    return "  - name: \(quoted(entry.name))\n    match: { \(match.joined(separator: ", ")) }\n"
  }

  static func rule(_ rule: SuggestedRules.Rule) -> String {
    var text = comment("\(rule.count) connection\(rule.count == 1 ? "" : "s")", indent: "  ")
    text += "  - name: \(quoted(rule.name))\n    action: allow\n"
    text += "    callers: \(list(rule.callers.map(quoted), indent: "      "))\n"
    if let listener = rule.listener { text += "    listeners: [\(quoted(listener.text))]\n" }
    if rule.when.isEmpty { return text }
    text += "    when:\n"
    for condition in rule.when {
      let values = condition.values.map { value -> String in
        guard let value else { return "{ present: false }" }
        return condition.isTemplate && value.text.contains("{") ? quoted(value.text) : exactly(value.text)
      }
      text += "      \(condition.field.name): "
      text += (values.count == 1 ? values[0] : list(values, indent: "        ")) + "\n"
    }
    return text
  }

  private static func list(_ items: [String], indent: String) -> String {
    if items.count <= 3 { return "[\(items.joined(separator: ", "))]" }
    return items.map { "\n\(indent)- \($0)" }.joined()
  }
}
