import AccessPolicy
import Testing

@testable import GatewayConfiguration

/// The smallest valid configuration, and how tests write findings.
enum Example {
  static let configuration = """
    version: 1
    listeners:
      - name: db
        listen: 0.0.0.0:6432
        tls:
          certificate: a.pem
          private_key: a.key
          client_ca: ca.pem
        upstream: db
    upstreams:
      - name: db
        address: 127.0.0.1:5432
    policies: [p.yaml]

    """

  /// - Returns: the configuration with the first `old` replaced, which must be there.
  static func configuration(replacing old: String, with new: String) throws -> String {
    let range = try #require(configuration.firstRange(of: old))
    return configuration.replacingCharacters(in: range, with: new)
  }

  /// `line:column: code: message (hint)`; warnings say so.
  static func line(_ diagnostic: Diagnostic) -> String {
    let place =
      diagnostic.location.line == 0 ? "" : "\(diagnostic.location.line):\(diagnostic.location.column): "
    let warning = diagnostic.severity == .warning ? "warning: " : ""
    let hint = diagnostic.hint.map { " (\($0))" } ?? ""
    return place + warning + "\(diagnostic.code): \(diagnostic.message)\(hint)"
  }
}

extension String {
  fileprivate func replacingCharacters(in range: Range<Index>, with new: String) -> String {
    String(self[..<range.lowerBound]) + new + String(self[range.upperBound...])
  }
}
