import AccessPolicy

/// Reads `audit`.
struct AuditReader {
  private enum Durability: String, CaseIterable { case written, synced }
  private enum WhenUnavailable: String, CaseIterable {
    case refuse
    case allowUnlogged = "allow_unlogged"
  }

  let findings: Findings

  func read(_ node: YAMLNode) -> Audit {
    var result = Audit()
    guard let audit = CheckedMapping(node, ConfigurationSchema.audit, findings) else { return result }
    if let node = audit["path"], let destination = destination(node) { result.destination = destination }
    if let node = audit["integrity"], let integrity = findings.flag(node) { result.integrity = integrity }
    if let node = audit["durability"],
      let durability = findings.choice(node, of: Durability.self), durability.value == .synced
    {
      findings.notAvailable(at: durability.location, "audit.durability: synced")
    }
    if let node = audit["when_unavailable"],
      let choice = findings.choice(node, of: WhenUnavailable.self), choice.value == .allowUnlogged
    {
      findings.notAvailable(at: choice.location, "audit.when_unavailable: allow_unlogged")
    }
    if let node = audit["key"] {
      _ = findings.path(node, of: "a key file")
      findings.notAvailable(at: audit.mark(of: "key"), "audit.key")
    }
    return result
  }

  private func destination(_ node: YAMLNode) -> Audit.Destination? {
    guard let path = findings.text(node, expected: "stdout, stderr or a path") else { return nil }
    switch path.value {
    case "stdout": return .standardOutput
    case "stderr": return .standardError
    default:
      guard !path.value.hasSuffix("/") else {
        findings.error(
          at: path.location, "invalid-value", "found \(Wording.quote(path.value)), expected a file's path",
          hint: "the log is one file; a path that ends with \"/\" is a folder")
        return nil
      }
      return .file(Paths.resolve(path.value, besides: findings.file))
    }
  }
}
