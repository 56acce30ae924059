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
      guard
        let context = ContextBuilder(listener: listener, material: material, policy: loaded.policy)
          .build(now: now, &findings),
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
}
