import AccessPolicy
import FuzzSupport
import GatewayConfiguration

/// Any bytes as a policy file: findings that point into the file, or a document; from the document findings again, or
/// a policy whose decisions keep the promises that hold for every policy.
@main
enum FuzzPolicyFile {
  static func main() {
    runFuzzer { text in
      let (document, diagnostics) = PolicyReader.read(text, file: "policy.yaml")
      DiagnosticInvariants.check(diagnostics, of: text, file: "policy.yaml")
      DiagnosticInvariants.check(value: document != nil, diagnostics)
      guard let document else { return }
      check(document)
      let (policy, findings) = Policy.compile([document], listeners: ["orders-db", "blog"])
      DiagnosticInvariants.check(findings, of: text, file: "policy.yaml")
      DiagnosticInvariants.check(value: policy != nil, findings)
      if let policy { DecisionInvariants(policy: policy, document: document).check() }
    }
  }
}

private func check(_ document: PolicyDocument) {
  Invariant.hold(document.file == "policy.yaml", "a document of another file")
  for caller in document.callers {
    Invariant.hold(!caller.match.isEmpty, "a caller that matches everyone")
    for condition in caller.match { check(condition) }
  }
  for rule in document.rules {
    Invariant.hold(!rule.name.value.isEmpty, "a rule without a name")
    for condition in rule.when + rule.unless { check(condition) }
  }
}

private func check(_ condition: Condition) {
  Invariant.hold(!condition.alternatives.isEmpty, "a condition without values")
  for alternative in condition.alternatives {
    guard case .range(let min, let max) = alternative.value else { continue }
    Invariant.hold(min != nil || max != nil, "a range without bounds")
  }
}
