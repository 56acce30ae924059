package import AccessPolicy
package import GatewayConfiguration

/// A configuration together with everything that it names, read once: nothing in it changes when a file does.
package struct LoadedConfiguration: Sendable {
  package var configuration: Configuration
  package var policy: Policy
  /// The policy files as they were written, for `test` and for reports.
  package var documents: [PolicyDocument]
  /// Every file that was read, the configuration first, each path once, save the audit key and passphrases. Private
  /// keys are among them: the audit record holds hashes only.
  package var files: [LoadedFile]
  /// The PEM files of each listener, in the order of `configuration.listeners`.
  package var tls: [TLSMaterial]
  /// The PEM files of the upstreams that have TLS, by the upstream's name.
  package var upstreamTLS: [String: UpstreamTLSMaterial]
  /// The key of the log's chain; nil for a chain without one.
  package var auditKey: AuditKey?
}

/// A file and what it held.
package struct LoadedFile: Sendable {
  package var path: String
  package var bytes: [UInt8]

  package init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
  }
}

// A print, a log line or a test's failure must not show a key.
extension LoadedFile: CustomStringConvertible, CustomReflectable {
  package var description: String { "\(path) (\(bytes.count) bytes)" }
  package var customMirror: Mirror { Mirror(self, children: ["path": path, "count": bytes.count]) }
}

extension AuditKey: CustomStringConvertible, CustomReflectable {
  package var description: String { "audit key" }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
