package import AccessPolicy
package import GatewayConfiguration

/// A configuration together with everything that it names, read once: nothing in it changes when a file does.
package struct LoadedConfiguration: Sendable {
  package var configuration: Configuration
  package var policy: Policy
  /// The policy files as they were written, for `test` and for reports.
  package var documents: [PolicyDocument]
  /// Every file that was read, the configuration first, each path once, save the audit key. Private keys are
  /// among them: the audit record holds hashes only.
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

/// The PEM files of a listener, not yet parsed.
package struct TLSMaterial: Sendable {
  package var certificate: [UInt8]
  package var privateKey: [UInt8]
  package var clientCA: [UInt8]
  /// In the order of the configuration; DER or PEM.
  package var clientCRLs: [[UInt8]]

  package init(
    certificate: [UInt8], privateKey: [UInt8], clientCA: [UInt8], clientCRLs: [[UInt8]] = []
  ) {
    self.certificate = certificate
    self.privateKey = privateKey
    self.clientCA = clientCA
    self.clientCRLs = clientCRLs
  }
}

/// The PEM files of an upstream, not yet parsed.
package struct UpstreamTLSMaterial: Sendable {
  package var ca: [UInt8]
  /// Empty where the gateway shows no certificate.
  package var certificate: [UInt8] = []
  package var privateKey: [UInt8] = []
}

// A print, a log line or a test's failure must not show a key.
extension LoadedFile: CustomStringConvertible, CustomReflectable {
  package var description: String { "\(path) (\(bytes.count) bytes)" }
  package var customMirror: Mirror { Mirror(self, children: ["path": path, "count": bytes.count]) }
}

extension UpstreamTLSMaterial: CustomStringConvertible, CustomReflectable {
  package var description: String { "CA, certificate and private key" }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension AuditKey: CustomStringConvertible, CustomReflectable {
  package var description: String { "audit key" }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension TLSMaterial: CustomStringConvertible, CustomReflectable {
  package var description: String { "certificate, private key and client CA" }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
