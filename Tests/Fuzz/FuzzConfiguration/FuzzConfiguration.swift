import AccessPolicy
import FuzzSupport
import GatewayConfiguration

/// Any bytes as `countersign.yaml`: findings that point into the file, or a configuration that is whole.
@main
enum FuzzConfiguration {
  static func main() {
    runFuzzer { text in
      let (configuration, diagnostics) = ConfigurationReader.read(text, file: "/etc/countersign.yaml")
      DiagnosticInvariants.check(diagnostics, of: text, file: "/etc/countersign.yaml")
      DiagnosticInvariants.check(value: configuration != nil, diagnostics)
      if let configuration { check(configuration) }
    }
  }
}

/// The promises of the model: names are unique, references lead somewhere, bounds can be kept.
private func check(_ configuration: Configuration) {
  let listeners = configuration.listeners.map(\.name.value)
  let upstreams = configuration.upstreams.map(\.name.value)
  Invariant.hold(!listeners.isEmpty, "a configuration without a listener")
  Invariant.hold(Set(listeners).count == listeners.count, "two listeners of one name")
  Invariant.hold(Set(upstreams).count == upstreams.count, "two upstreams of one name")
  Invariant.hold(!configuration.policies.isEmpty, "a configuration without policies")
  Invariant.hold(configuration.workers ?? 1 >= 1, "no workers")
  Invariant.hold(configuration.drainTimeout >= .zero, "a negative drain_timeout")
  check(configuration.limits)
  for listener in configuration.listeners {
    Invariant.hold(upstreams.contains(listener.upstream.value), "an upstream that does not exist")
    Invariant.hold(!DiagnosticInvariants.hasControl(listener.name.value), "a control character in a name")
    check(listener.limits)
    let tls = listener.tls
    for path in [tls.identity.certificate(0), tls.identity.privateKey(0)] + tls.clientCA.map(\.file) {
      Invariant.hold(path.value.hasPrefix("/"), "a path that is not resolved")
      Invariant.hold(!path.value.utf8.contains(0), "a path that the kernel would cut")
    }
    let names = tls.hosts.flatMap(\.serverNames).map(\.value)
    Invariant.hold(Set(names).count == names.count, "two hosts of one name")
    Invariant.hold(
      names.allSatisfy { $0 == $0.lowercased() && !$0.hasSuffix(".") }, "a name of its own spelling")
    for name in tls.alpn {
      // RFC 7301 section 3.1: one length byte, and never empty.
      Invariant.hold((1...255).contains(name.utf8.count), "an ALPN name of \(name.utf8.count) bytes")
    }
  }
  for upstream in configuration.upstreams {
    Invariant.hold(upstream.connectTimeout > .zero, "a connect_timeout of nothing")
  }
}

private func check(_ limits: Limits) {
  Invariant.hold(limits.maxConnections ?? 1 >= 1, "max_connections below 1")
  Invariant.hold(limits.maxHandshakes >= 1, "max_handshakes below 1")
  Invariant.hold(limits.handshakeTimeout > .zero, "a handshake_timeout of nothing")
  Invariant.hold(limits.idleTimeout >= .zero, "a negative idle_timeout")
  Invariant.hold(limits.maxConnectionAge >= .zero, "a negative max_connection_age")
}
