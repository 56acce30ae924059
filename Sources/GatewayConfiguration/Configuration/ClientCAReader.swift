import AccessPolicy

/// Reads `client_ca`: files with or without labels.
struct ClientCAReader {
  let findings: Findings

  /// - Returns: the files in their order.
  func read(_ node: YAMLNode) -> [ClientCAFile] {
    let files = findings.list(node, of: "file").compactMap(entry)
    // Two files of one label would be one bundle, and a rotation needs no second file: it holds any number.
    findings.duplicates(files.compactMap(\.label), of: "label")
    return files
  }

  private func entry(_ node: YAMLNode) -> ClientCAFile? {
    guard case .mapping = node.content else {
      return findings.path(node, of: "a PEM file").map { ClientCAFile(file: $0) }
    }
    guard let labelled = CheckedMapping(node, ConfigurationSchema.clientCA, findings) else { return nil }
    let label = labelled["label"].flatMap(findings.name)
    let file = labelled["file"].flatMap { findings.path($0, of: "a PEM file") }
    guard let label, let file else { return nil }
    return ClientCAFile(label: label, file: file)
  }
}
