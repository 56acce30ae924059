import Patterns

extension Policy {
  /// What is wrong with the tests themselves; a part of ``lint(_:listeners:at:)``.
  package func testFindings(_ documents: [PolicyDocument], listeners: [String]?) -> [Diagnostic] {
    PolicyTestLint.findings(documents, names: CallerNames(callers.entries), listeners: listeners)
  }
}

/// Policy tests that speak of what is not there: such a test fails, or passes for another reason than it says.
enum PolicyTestLint {
  /// - Parameter listeners: the names of all listeners; nil where nobody knows them.
  static func findings(
    _ documents: [PolicyDocument], names: CallerNames, listeners: [String]?
  ) -> [Diagnostic] {
    let rules = Set(documents.flatMap(\.rules).map { ExactText($0.name.value) })
    var findings: [Diagnostic] = []
    for test in documents.flatMap(\.tests) {
      if let rule = test.rule, !rules.contains(ExactText(rule.value)) {
        findings.warning(
          "unknown-rule", at: rule.location, "test '\(test.name.value)': there is no rule '\(rule.value)'",
          hint: "is the rule spelled as under 'rules'?")
      }
      if let caller = test.caller, !names.contains(.name(ExactText(caller.value))) {
        findings.warning(
          "unknown-caller", at: caller.location,
          "test '\(test.name.value)': no entry of 'callers' gives the name '\(caller.value)'",
          hint: "is the name spelled as under 'callers'?")
      }
      if let listeners, case .text(let listener)? = test.given[.listener], !listeners.contains(listener) {
        findings.warning(
          "unknown-listener", at: test.name.location,
          "test '\(test.name.value)': no listener is called '\(listener)'",
          hint: "listeners are: \(listeners.joined(separator: ", "))")
      }
    }
    return findings
  }
}
