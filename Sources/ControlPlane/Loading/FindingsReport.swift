package import AccessPolicy

/// How findings are shown to people.
package struct FindingsReport: Sendable {
  /// What findings come to, as `check` says it with its exit code.
  package enum Outcome: Sendable { case clean, warnings, errors }

  package let findings: [Diagnostic]

  package init(_ findings: [Diagnostic]) { self.findings = findings }

  package var outcome: Outcome {
    if findings.contains(where: { $0.severity == .error }) { return .errors }
    return findings.isEmpty ? .clean : .warnings
  }

  /// One line a finding in the form that editors and compilers share, `file:line:column: error: message
  /// [code]`, and its hint below it. Empty without findings, else with a line feed at the end.
  package var text: String {
    findings.reduce(into: "") { text, finding in
      text += Self.line(
        "\(finding.location): \(finding.severity.rawValue): \(finding.message) [\(finding.code)]")
      if let hint = finding.hint { text += Self.line("  hint: \(hint)") }
    }
  }

  /// `2 errors, 1 warning`.
  package var summary: String {
    let errors = findings.count { $0.severity == .error }
    let warnings = findings.count - errors
    return "\(errors) error\(errors == 1 ? "" : "s"), \(warnings) warning\(warnings == 1 ? "" : "s")"
  }

  /// Names of files and texts out of them come from others: none of them may steer the terminal.
  private static func line(_ text: String) -> String {
    var line = ""
    for scalar in text.unicodeScalars {
      let control = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
      line += control ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
    }
    return line + "\n"
  }
}
