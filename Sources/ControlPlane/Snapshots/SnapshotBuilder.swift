package import AccessPolicy
package import DataPlane
import GatewayConfiguration
import TLSEngine

/// Makes the immutable snapshot that workers run on from what was loaded.
package enum SnapshotBuilder {
  /// - Parameter now: what the validity of the gateway's own certificates is compared with.
  /// - Returns: the snapshot, or nil where a finding is an error; and all findings about certificates, keys
  ///   and accounts.
  package static func build(
    _ loaded: LoadedConfiguration, now: Timestamp
  ) -> (snapshot: Snapshot?, findings: [Diagnostic]) {
    var findings: [Diagnostic] = []
    var listeners: [ListenerSnapshot] = []
    for (listener, material) in zip(loaded.configuration.listeners, loaded.tls) {
      guard let context = context(listener, material, loaded.policy, now, &findings),
        let upstream = loaded.configuration.upstreams.first(where: {
          $0.name.value == listener.upstream.value
        }), let address = ListenAddress.configured(listener, &findings),
        let target = UpstreamBuilder(loaded: loaded, now: now).build(upstream, for: listener, &findings)
      else { continue }
      listeners.append(
        ListenerSnapshot(
          name: listener.name.value, wireProtocol: listener.wireProtocol,
          mySQLServerVersion: listener.mySQLServerVersion, proxySources: listener.proxySources,
          address: address, tls: context, upstream: target, limits: listener.limits))
    }
    guard listeners.count == loaded.configuration.listeners.count else { return (nil, findings) }
    return (
      Snapshot(
        version: version(loaded), listeners: listeners, policy: loaded.policy,
        limits: loaded.configuration.limits, drainTimeout: loaded.configuration.drainTimeout), findings
    )
  }

  /// Names what was loaded: the same files give the same name.
  private static func version(_ loaded: LoadedConfiguration) -> String {
    let lines = loaded.files.map { "\($0.path) \(SHA256.hexadecimal($0.bytes))\n" }.sorted()
    return SHA256.hexadecimal(Array(lines.joined().utf8))
  }

  private static func context(
    _ listener: Listener, _ material: TLSMaterial, _ policy: Policy, _ now: Timestamp,
    _ findings: inout [Diagnostic]
  ) -> ServerContext? {
    do throws(TLSConfigurationError) {
      let context = try ServerContext(
        ServerContextOptions(
          certificateChain: material.certificate, privateKey: material.privateKey,
          clientCA: material.clientCA, minVersion: listener.tls.minVersion == .tls12 ? .tls12 : .tls13,
          alpn: alpn(listener), isProtocolOptional: isALPNOptional(listener), listener: listener.name.value))
      findings += context.findings(at: now).map {
        diagnostic(.warning, $0.subject, $0.code, $0.message, $0.hint, listener)
      }
      for anchor in context.verifier.anchors {
        findings += policy.sharedAuthorityFindings(
          PeerCertificate.facts(anchor), listener: listener.name.value)
      }
      return context
    } catch {
      findings.append(
        diagnostic(.error, error.subject, error.code, error.message, error.hint, listener))
      return nil
    }
  }

  /// Clients of Postgres that begin with TLS at once must name its protocol; those that ask for TLS first may.
  private static func alpn(_ listener: Listener) -> [String] {
    guard listener.wireProtocol == .postgres else { return listener.tls.alpn }
    let own = ListenerSnapshot.postgresProtocol
    return [own] + listener.tls.alpn.filter { $0 != own }
  }

  private static func isALPNOptional(_ listener: Listener) -> Bool {
    listener.wireProtocol == .postgres && listener.tls.alpn.isEmpty
  }

  private static func diagnostic(
    _ severity: Diagnostic.Severity, _ subject: TLSConfigurationError.Subject, _ code: String,
    _ message: String, _ hint: String?, _ listener: Listener
  ) -> Diagnostic {
    let file: Located<String>
    switch subject {
    case .certificate: file = listener.tls.certificate
    case .privateKey: file = listener.tls.privateKey
    case .clientCA: file = listener.tls.clientCA
    case .alpn, .library:
      file = Located("listener \(listener.name.value)", at: listener.name.location)
    }
    return Diagnostic(
      severity, at: file.location, code: code, message: "\(file.value): \(message)", hint: hint)
  }
}
