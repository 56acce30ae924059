import AccessPolicy
import DataPlane
import GatewayConfiguration
import TLSEngine

/// Makes what workers need to reach an upstream.
struct UpstreamBuilder {
  let loaded: LoadedConfiguration
  let now: Timestamp

  /// - Returns: nil where a finding is an error.
  func build(
    _ upstream: Upstream, for listener: Listener, _ findings: inout [Diagnostic]
  ) -> UpstreamSnapshot? {
    var context: TLSClientContext?
    if let tls = upstream.tls {
      guard let made = self.context(upstream, tls, listener, &findings) else { return nil }
      context = made
    }
    return UpstreamSnapshot(
      name: upstream.name.value, addresses: upstream.addresses.map(\.value),
      balance: upstream.balance, connectTimeout: upstream.connectTimeout,
      proxyHeader: upstream.proxyHeader, tls: context, healthCheck: upstream.healthCheck)
  }

  private func context(
    _ upstream: Upstream, _ tls: UpstreamTLS, _ listener: Listener, _ findings: inout [Diagnostic]
  ) -> TLSClientContext? {
    guard let material = loaded.upstreamTLS[upstream.name.value] else { return nil }
    warn(upstream, tls, listener, &findings)
    var options = TLSClientOptions()
    options.serverCA = material.ca
    options.serverName = tls.serverName?.value
    options.identity = material.identity
    if listener.wireProtocol == .postgres { options.alpn = [ListenerSnapshot.postgresProtocol] }
    do throws(TLSConfigurationError) {
      return try TLSClientContext(options)
    } catch {
      let file: Located<String> =
        switch error.subject {
        case .certificate, .pkcs12: tls.identity?.certificate(error.file) ?? tls.ca
        case .privateKey: tls.identity?.privateKey(error.file) ?? tls.ca
        case .passphrase: tls.identity?.passphrase ?? tls.ca
        case .clientCA, .clientCRL: tls.ca
        case .ocspResponse, .serverName, .alpn, .library:
          Located("upstream \(upstream.name.value)", at: upstream.name.location)
        }
      findings.append(
        Diagnostic(
          .error, at: file.location, code: error.code, message: "\(file.value): \(error.message)",
          hint: error.hint))
      return nil
    }
  }

  private func warn(
    _ upstream: Upstream, _ tls: UpstreamTLS, _ listener: Listener, _ findings: inout [Diagnostic]
  ) {
    if listener.wireProtocol == .postgres {
      findings.append(
        Diagnostic(
          .warning, at: listener.name.location, code: "channel-binding",
          message:
            "SCRAM channel binding fails through the listener \(listener.name.value), because the upstream "
            + "\(upstream.name.value) has TLS of its own",
          hint:
            "clients see the gateway's certificate and the server its own: set channel_binding=disable at "
            + "the clients, give the listener the server's own certificate and key, or leave tls of the "
            + "upstream away where it is on this machine"))
    }
  }
}
