import AccessPolicy

/// Reads `socket` of a listener: who may connect to its Unix socket.
struct SocketFileReader {
  let findings: Findings

  /// - Parameter address: the listener's; nil where it cannot be read.
  func read(_ node: YAMLNode, at mark: YAMLMark, of address: Located<SocketAddress>?) -> SocketFile {
    var result = SocketFile()
    guard let socket = CheckedMapping(node, ConfigurationSchema.socketFile, findings) else { return result }
    if let node = socket["mode"], let mode = mode(node) { result.mode = mode }
    result.user = socket["user"].flatMap { findings.text($0, expected: "a user's name or number") }
    result.group = socket["group"].flatMap { findings.text($0, expected: "a group's name or number") }
    switch address?.value {
    case .unix, nil: break
    case .ip, .name, .systemd:
      findings.error(
        at: mark.location(in: findings.file), "contradiction",
        "socket is for a Unix socket that countersign opens, and this listener has none",
        hint: "remove it; for systemd: set SocketMode=, SocketUser= and SocketGroup= of the socket unit")
    }
    return result
  }

  /// Always octal: YAML 1.1 and 1.2 disagree about what number `0660` is, and it is none here.
  private func mode(_ node: YAMLNode) -> UInt32? {
    let expected = "permission bits such as \"0660\""
    guard let text = findings.text(node, expected: expected) else { return nil }
    guard (3...4).contains(text.value.utf8.count),
      text.value.utf8.allSatisfy({ (0x30...0x37).contains($0) }), let mode = UInt32(text.value, radix: 8),
      mode <= 0o777
    else {
      findings.error(
        at: text.location, "invalid-value", "found \(Wording.quote(text.value)), expected \(expected)",
        hint: "three octal digits: for the user, the group and everyone")
      return nil
    }
    guard mode & 0o222 != 0 else {
      findings.error(
        at: text.location, "invalid-value", "with the mode \(Wording.quote(text.value)) nobody may connect",
        hint: "connecting takes the right to write (2), as in \"0660\"")
      return nil
    }
    return mode
  }
}
