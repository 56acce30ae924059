import AccessPolicy

/// Reads `audit`.
struct AuditReader {
  let findings: Findings

  func read(_ node: YAMLNode) -> Audit {
    var result = Audit()
    guard let audit = CheckedMapping(node, ConfigurationSchema.audit, findings) else { return result }
    if let node = audit["path"], let destination = destination(node) {
      result.destination = destination.value
      result.place = destination.location
    }
    if let node = audit["integrity"], let integrity = findings.flag(node) { result.integrity = integrity }
    if let node = audit["durability"], let durability = findings.choice(node, of: Audit.Durability.self) {
      result.durability = durability.value
      checkThatItCanBeSynced(result, durability)
    }
    if let node = audit["when_unavailable"],
      let choice = findings.choice(node, of: Audit.WhenUnavailable.self)
    {
      result.whenUnavailable = choice.value
    }
    if let node = audit["key"] {
      result.key = findings.path(node, of: "a key file")
      if !result.integrity {
        findings.error(
          at: audit.mark(of: "key"), "contradiction", "audit.key is the key of the chain, and there is none",
          hint: "remove it, or integrity: false")
      }
    }
    return result
  }

  /// What standard output and error lead to is not ours to sync: mostly a pipe, where fdatasync(2) cannot.
  private func checkThatItCanBeSynced(_ audit: Audit, _ durability: Located<Audit.Durability>) {
    if case .file = audit.destination { return }
    guard durability.value == .synced else { return }
    let name = audit.destination == .standardOutput ? "stdout" : "stderr"
    findings.error(
      at: durability.location, "contradiction", "records that go to \(name) cannot be synced",
      hint: "name a file in audit.path, or write durability: written")
  }

  private func destination(_ node: YAMLNode) -> Located<Audit.Destination>? {
    guard let path = findings.text(node, expected: "stdout, stderr or a path") else { return nil }
    switch path.value {
    case "stdout": return Located(.standardOutput, at: path.location)
    case "stderr": return Located(.standardError, at: path.location)
    default:
      guard !path.value.hasSuffix("/") else {
        findings.error(
          at: path.location, "invalid-value", "found \(Wording.quote(path.value)), expected a file's path",
          hint: "the log is one file; a path that ends with \"/\" is a folder")
        return nil
      }
      return Located(.file(Paths.resolve(path.value, besides: findings.file)), at: path.location)
    }
  }
}
