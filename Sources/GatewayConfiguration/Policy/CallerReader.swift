import AccessPolicy

/// Reads an entry of `callers`.
struct CallerReader {
  let findings: Findings
  let conditions: ConditionReader

  func read(_ node: YAMLNode) -> CallerEntry? {
    guard let caller = CheckedMapping(node, PolicySchema.caller, findings) else { return nil }
    let name = caller["name"].flatMap { findings.text($0, expected: "a caller's name") }
    let match = caller["match"].map { conditions.read($0, of: "match") }
    let groups = caller["groups"].map(groups) ?? []
    guard let name, let match else { return nil }
    return CallerEntry(name: name, groups: groups, match: match)
  }

  private func groups(_ node: YAMLNode) -> [Located<String>] {
    if case .sequence(let items) = node.content, items.isEmpty { return [] }
    let groups = findings.texts(node, of: "group's name")
    for group in groups where group.value.hasPrefix("group:") {
      findings.error(
        at: group.location, "invalid-value", "found \(Wording.quote(group.value)), expected a group's name",
        hint: "write the name alone; \"group:\" is for a rule's callers")
    }
    return groups
  }
}
