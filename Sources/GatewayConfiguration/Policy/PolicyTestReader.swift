import AccessPolicy

/// Reads an entry of `tests`.
struct PolicyTestReader {
  let findings: Findings

  func read(_ node: YAMLNode) -> PolicyTest? {
    guard let test = CheckedMapping(node, PolicySchema.test, findings) else { return nil }
    let name = test["name"].flatMap { findings.text($0, expected: "a test's name") }
    let given = test["given"].map(given)
    let expect = test["expect"].flatMap { findings.choice($0, of: Verdict.self) }
    let at = test["at"].flatMap(findings.timestamp)
    let caller = test["caller"].flatMap { findings.text($0, expected: "a caller's name") }
    let rule = test["rule"].flatMap { findings.text($0, expected: "a rule's name") }
    let reason = test["reason"].flatMap { findings.choice($0, of: VerdictReason.self) }
    let shadow = test["shadow"].flatMap { findings.choice($0, of: Verdict.self) }
    guard let name, let given, let expect else { return nil }
    return PolicyTest(
      name: name, given: given, expect: expect.value, at: at?.value, caller: caller, rule: rule,
      reason: reason, shadow: shadow)
  }

  private func given(_ node: YAMLNode) -> Facts {
    var facts = Facts()
    guard case .mapping(let entries) = node.content else {
      findings.wrongType(node, expected: "a mapping of fields to values for given")
      return facts
    }
    for entry in entries {
      guard let field = findings.field(entry) else { continue }
      let texts = findings.texts(entry.value, of: "value")
      if texts.isEmpty { continue }
      do throws(FactSyntaxError) {
        facts[field] = try FactValue.parse(texts.map(\.value), for: field)
      } catch {
        findings.error(at: entry.value.mark, "invalid-value", "\(entry.key): \(error.message)")
      }
    }
    return facts
  }
}
