import AccessPolicy

/// Reads an entry of `rules`.
struct RuleReader {
  let findings: Findings
  let conditions: ConditionReader

  func read(_ node: YAMLNode) -> RuleEntry? {
    guard let rule = CheckedMapping(node, PolicySchema.rule, findings) else { return nil }
    let name = rule["name"].flatMap { findings.text($0, expected: "a rule's name") }
    let action = rule["action"].flatMap { findings.choice($0, of: RuleEntry.Action.self) }
    let callers = rule["callers"].map { findings.texts($0, of: "caller") }
    let listeners = rule["listeners"].map { findings.texts($0, of: "listener") }
    let when = rule["when"].map { conditions.read($0, of: "when") } ?? []
    let unless = rule["unless"].map { conditions.read($0, of: "unless") } ?? []
    let mode = rule["mode"].flatMap { findings.choice($0, of: RuleEntry.Mode.self) }
    let expires = rule["expires"].flatMap(findings.timestamp)
    guard let name else { return nil }
    // Without an action there is an error, and this is for a draft's further checks alone.
    return RuleEntry(
      name: name, action: action?.value ?? .deny, callers: callers, listeners: listeners, when: when,
      unless: unless,
      mode: mode?.value ?? .enforce, expires: expires)
  }
}
