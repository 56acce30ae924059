package import AccessPolicy
internal import Foundation

/// How findings are shown, to people and to programs.
package struct FindingsReport: Sendable {
  /// What findings come to, as `check` says it with its exit code.
  package enum Outcome: Sendable { case clean, warnings, errors }

  private let findings: [Diagnostic]

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

  /// `{"findings": […]}` with a line feed at the end; `line` and `column` are null for a file as a whole.
  package func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let report = Report(findings: findings.map(Report.Finding.init))
    return String(decoding: try encoder.encode(report), as: UTF8.self) + "\n"
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

private struct Report: Encodable {
  struct Finding: Encodable {
    enum CodingKeys: String, CodingKey { case severity, file, line, column, code, message, hint }

    var diagnostic: Diagnostic

    init(_ diagnostic: Diagnostic) { self.diagnostic = diagnostic }

    /// Every key is always there: `encode` writes null where `encodeIfPresent` would leave the key out.
    func encode(to encoder: any Encoder) throws {
      let location = diagnostic.location
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(diagnostic.severity.rawValue, forKey: .severity)
      try container.encode(location.file, forKey: .file)
      try container.encode(location.line == 0 ? nil : location.line, forKey: .line)
      try container.encode(location.column == 0 ? nil : location.column, forKey: .column)
      try container.encode(diagnostic.code, forKey: .code)
      try container.encode(diagnostic.message, forKey: .message)
      try container.encode(diagnostic.hint, forKey: .hint)
    }
  }

  var findings: [Finding]
}
