package import AccessPolicy

/// Reads `countersign.yaml`: text in, a configuration that is valid in itself or findings out.
package enum ConfigurationReader {
  /// - Parameters:
  ///   - text: the bytes of the file.
  ///   - file: its path, which locations name and relative paths are resolved against.
  /// - Returns: a configuration if there is no error among the diagnostics, which are in the order of the
  ///   file and may hold warnings.
  package static func read(
    _ text: [UInt8], file: String
  ) -> (configuration: Configuration?, diagnostics: [Diagnostic]) {
    let (draft, diagnostics) = draft(text, file: file)
    return (diagnostics.contains { $0.severity == .error } ? nil : draft, diagnostics)
  }

  /// As ``read(_:file:)``, but with whatever could be read of a configuration that has errors, so that a
  /// check can go on to the files that it names. A draft with errors must never be run.
  package static func draft(
    _ text: [UInt8], file: String
  ) -> (configuration: Configuration?, diagnostics: [Diagnostic]) {
    let findings = Findings(file: file)
    let draft = YAMLComposer.compose(text, findings: findings).flatMap {
      RootReader(findings: findings).read($0)
    }
    return (draft, findings.diagnostics)
  }
}

/// The keys of the whole file, and what holds between listeners and upstreams.
private struct RootReader {
  let findings: Findings

  func read(_ node: YAMLNode) -> Configuration? {
    guard let root = CheckedMapping(node, ConfigurationSchema.root, findings) else { return nil }
    findings.version(root["version"])
    let limits = root["limits"].map { LimitsReader(findings: findings).read($0, over: Limits()) } ?? Limits()
    let upstreamNodes = root["upstreams"].map { findings.entries($0, of: "upstreams") } ?? []
    let listenerNodes = root["listeners"].map { findings.entries($0, of: "listeners") } ?? []
    checkReferences(listenerNodes, upstreamNodes)
    if let node = root["admin"] { admin(node, at: root.mark(of: "admin")) }
    var configuration = Configuration(
      file: findings.file, listeners: listeners(listenerNodes, limits: limits),
      upstreams: upstreams(upstreamNodes),
      policies: root["policies"].map(policies) ?? [],
      audit: root["audit"].map { AuditReader(findings: findings).read($0) } ?? Audit(),
      limits: limits,
      drainTimeout: root["drain_timeout"].flatMap { findings.duration($0, zero: true) } ?? .seconds(30),
      workers: root["workers"].flatMap(workers))
    configuration.places = places(root)
    return configuration
  }

  private func places(_ root: CheckedMapping) -> [String: SourceLocation] {
    var places: [String: SourceLocation] = [:]
    if root["workers"] != nil { places["workers"] = root.mark(of: "workers").location(in: findings.file) }
    if case .mapping(let entries)? = root["audit"]?.content {
      for entry in entries { places["audit.\(entry.key)"] = entry.keyMark.location(in: findings.file) }
    }
    return places
  }

  private func listeners(_ nodes: [YAMLNode], limits: Limits) -> [Listener] {
    findings.duplicates(nodes.compactMap { given("name", in: $0) }, of: "listener")
    let listeners = nodes.compactMap(ListenerReader(findings: findings, limits: limits).read)
    ListenerAddresses(findings: findings).check(listeners)
    return listeners
  }

  private func upstreams(_ nodes: [YAMLNode]) -> [Upstream] {
    findings.duplicates(nodes.compactMap { given("name", in: $0) }, of: "upstream")
    return nodes.compactMap(UpstreamReader(findings: findings).read)
  }

  private func policies(_ node: YAMLNode) -> [Located<String>] {
    findings.list(node, of: "glob of policy files").compactMap {
      guard let glob = findings.path($0, of: "policy files or a glob") else { return nil }
      // glob(3) reads it as one "*", and the rules of deeper folders would be missing without a word.
      if glob.value.contains("**") {
        findings.error(
          at: glob.location, "invalid-value", "found \"**\" in a glob of policy files",
          hint: "name each folder: [Policies/*.yaml, Policies/teams/*.yaml]")
        return nil
      }
      return glob
    }
  }

  /// Compares the names as written, so that another mistake in an entry hides nothing and adds nothing.
  private func checkReferences(_ listeners: [YAMLNode], _ upstreams: [YAMLNode]) {
    let upstreams = upstreams.compactMap { given("name", in: $0) }
    let references = listeners.compactMap { given("upstream", in: $0) }
    let known = Set(upstreams.map(\.value))
    let used = Set(references.map(\.value))
    for reference in references where !known.contains(reference.value) {
      findings.error(
        at: reference.location, "unknown-reference",
        "there is no upstream \(Wording.quote(reference.value))",
        hint: Wording.nearest(to: reference.value, among: upstreams.map(\.value)))
    }
    // With a reference that is missing or wrong, an unused upstream may be the one that was meant.
    guard !references.isEmpty, references.count == listeners.count, used.isSubset(of: known) else { return }
    for upstream in upstreams where !used.contains(upstream.value) {
      findings.warning(
        at: upstream.location, "unused-upstream",
        "no listener uses the upstream \(Wording.quote(upstream.value))", hint: "remove it")
    }
  }

  private func given(_ key: String, in node: YAMLNode) -> Located<String>? {
    guard case .mapping(let entries) = node.content,
      let value = entries.first(where: { $0.key == key })?.value,
      case .scalar(let text, _) = value.content, !value.isNothing
    else { return nil }
    return Located(text, at: value.mark.location(in: findings.file))
  }

  private func workers(_ node: YAMLNode) -> Int? {
    if case .scalar("auto", _) = node.content { return nil }
    guard case .scalar(let text, _) = node.content, text.utf8.first.map({ $0 < 0x3A }) ?? false else {
      findings.wrongType(node, expected: "auto or a whole number from 1 to 1024")
      return nil
    }
    return findings.integer(node, in: 1...1024)
  }

  private func admin(_ node: YAMLNode, at mark: YAMLMark) {
    guard let admin = CheckedMapping(node, ConfigurationSchema.admin, findings) else { return }
    if let listen = admin["listen"] {
      _ = SocketAddressReader(findings: findings, role: .admin).read(listen)
    }
    findings.notAvailable(at: mark, "admin")
  }
}

/// Bounds of configuration and policy files.
package enum ConfigurationFiles {
  /// The longest file that is read, in bytes.
  package static let longest = YAMLComposer.maximumBytes
}
