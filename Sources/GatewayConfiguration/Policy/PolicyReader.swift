package import AccessPolicy

/// Reads a policy file: text in, a typed document or findings out. What a pattern, a capture or a
/// reference means is for `Policy.compile`.
package enum PolicyReader {
  /// - Parameters:
  ///   - text: the bytes of the file.
  ///   - file: its path, which locations name.
  /// - Returns: a document if there is no error among the diagnostics, which are in the order of the file.
  package static func read(
    _ text: [UInt8], file: String
  ) -> (document: PolicyDocument?, diagnostics: [Diagnostic]) {
    let (draft, diagnostics) = draft(text, file: file)
    return (diagnostics.contains { $0.severity == .error } ? nil : draft, diagnostics)
  }

  /// The same, with whatever could be read of a faulty file, so that a check can go on to what compiling says
  /// of the rest. A draft with errors must never be run.
  package static func draft(
    _ text: [UInt8], file: String
  ) -> (document: PolicyDocument?, diagnostics: [Diagnostic]) {
    let findings = Findings(file: file)
    let document = YAMLComposer.compose(text, findings: findings).flatMap { read($0, findings) }
    return (document, findings.diagnostics)
  }

  private static func read(_ node: YAMLNode, _ findings: Findings) -> PolicyDocument? {
    guard let root = CheckedMapping(node, PolicySchema.root, findings) else { return nil }
    findings.version(root["version"])
    if root["callers"] == nil, root["rules"] == nil, root["tests"] == nil {
      findings.error(
        at: root.mark, "missing-key",
        "a policy file needs one of the keys \"callers\", \"rules\" and \"tests\"")
    }
    let conditions = ConditionReader(findings: findings)
    let callers = CallerReader(findings: findings, conditions: conditions)
    let rules = RuleReader(findings: findings, conditions: conditions)
    let tests = PolicyTestReader(findings: findings)
    let document = PolicyDocument(
      file: findings.file,
      callers: root["callers"].map {
        findings.entries($0, of: "callers", allowingNone: true).compactMap(callers.read)
      } ?? [],
      rules: root["rules"].map {
        findings.entries($0, of: "rules", allowingNone: true).compactMap(rules.read)
      } ?? [],
      tests: root["tests"].map {
        findings.entries($0, of: "tests", allowingNone: true).compactMap(tests.read)
      } ?? [])
    // Rule names are unique over all files, so `Policy.compile` compares those.
    findings.duplicates(document.tests.map(\.name), of: "test")
    return document
  }
}
