extension Policy {
  /// Compiles policy files into one policy.
  /// - Parameter listeners: the names that rules may speak of; nil where nobody knows them (policies without a
  ///   configuration), and rules may speak of any.
  /// - Returns: the policy, or nil where a finding is an error; and all findings of all files.
  package static func compile(
    _ documents: [PolicyDocument], listeners: [String]?
  ) -> (policy: Policy?, diagnostics: [Diagnostic]) {
    var callers = CallerCompiler()
    for document in documents {
      for entry in document.callers { callers.compile(entry) }
    }
    var rules = RuleCompiler(
      listeners: listeners, groups: documents.flatMap(\.callers).flatMap(\.groups),
      entries: callers.entries, areAllEntriesKnown: !callers.findings.hasErrors)
    for document in documents {
      for rule in document.rules { rules.compile(rule) }
    }
    let findings = callers.findings + rules.findings
    guard !findings.hasErrors else { return (nil, findings) }
    // The rules' order is that of their names, so that nothing depends on the order of files.
    let sorted = rules.rules.sorted { $0.name < $1.name }
    let index = RuleIndex(sorted, listeners: listeners)
    return (Policy(callers: CallerMap(callers.entries), rules: sorted, index: index), findings)
  }
}
