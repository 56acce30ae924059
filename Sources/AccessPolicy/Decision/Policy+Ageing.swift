extension Policy {
  /// When a rule ceases to apply; nil where it never does, or is not there.
  package func end(ofRule name: String) -> Timestamp? { rules.first { $0.name == name }?.expires }

  /// Whether a rule asks which listener a connection came by; false where there is no such rule.
  package func isAboutListeners(rule name: String) -> Bool {
    rules.first { $0.name == name }.map { rule in
      rule.listeners != nil || rule.when.contains { $0.field == .listener }
    } ?? false
  }

  /// Rules that apply no more: a reader of the policies may want to take them out.
  /// - Parameter instant: the moment to look from.
  package func expiredRules(at instant: Timestamp) -> [Diagnostic] {
    var findings: [Diagnostic] = []
    for rule in rules {
      guard let end = rule.expires, end <= instant else { continue }
      findings.warning(
        "expired-rule", at: rule.location, "rule '\(rule.name)' does not apply since \(end.rfc3339)",
        hint: rule.action == .deny
          ? "what it denied is allowed where another rule allows it; remove the rule or extend 'expires'"
          : "remove the rule or extend 'expires'")
    }
    return findings
  }
}
