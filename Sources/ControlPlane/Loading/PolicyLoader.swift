package import AccessPolicy
import GatewayConfiguration

/// Reads policies where there is no configuration that names them.
package enum PolicyLoader {
  /// - Parameter paths: files and globs of files; the order does not matter.
  /// - Returns: the policy files, callers, rules and tests, as far as they can be read; the policy that they
  ///   come to, nil where a finding is an error; and all findings, in the order of file, line and column. No
  ///   configuration says which listeners there are, so rules may speak of any.
  package static func load(
    _ paths: [String]
  ) -> (documents: [PolicyDocument], policy: Policy?, diagnostics: [Diagnostic]) {
    var reading = FileReading()
    // A path of the command line stands at no line of a file.
    let (documents, isComplete) = reading.documents(paths.map { Located($0, at: SourceLocation(file: $0)) })
    var policy: Policy?
    if isComplete {
      let (compiled, findings) = Policy.compile(documents, listeners: nil)
      policy = compiled
      reading.diagnostics += findings
    }
    return (
      documents, reading.hasErrors ? nil : policy, reading.diagnostics.sorted { $0.location < $1.location }
    )
  }
}
