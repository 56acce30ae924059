import AccessPolicy

/// What a tool that works on policies asks of a file that may be a configuration.
package enum ConfigurationNames {
  /// Whether the text is a configuration, by its keys: a policy file has no listeners.
  package static func isConfiguration(_ text: [UInt8], file: String) -> Bool {
    guard let root = YAMLComposer.compose(text, findings: Findings(file: file)),
      case .mapping(let entries) = root.content
    else { return false }
    return entries.contains { $0.key == "listeners" || $0.key == "upstreams" }
  }

  /// - Returns: the names of the listeners; nil where the configuration has errors, and nobody knows them all.
  package static func listeners(_ text: [UInt8], file: String) -> [String]? {
    let (draft, findings) = ConfigurationReader.draft(text, file: file)
    guard let draft, !findings.contains(where: { $0.severity == .error }) else { return nil }
    return draft.listeners.map(\.name.value)
  }
}
