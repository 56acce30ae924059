extension Policy {
  /// When a rule ceases to apply; nil where it never does, or is not there.
  package func end(ofRule name: String) -> Timestamp? { rules.first { $0.name == name }?.expires }

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
