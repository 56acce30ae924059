import AccessPolicy
import AuditLog
import DataPlane
import GatewayConfiguration
import TLSEngine

/// Writes the records that are about the gateway itself.
struct Journal {
  let audit: any AuditSink
  let encoder: RecordEncoder

  func loaded(_ loaded: LoadedConfiguration, version: String, warnings: [Diagnostic] = []) {
    write(
      .configurationLoaded(
        .init(
          files: hashes(loaded.files) + keyFile(loaded),
          version: version, listeners: loaded.configuration.listeners.count,
          callers: loaded.documents.reduce(0) { $0 + $1.callers.count },
          rules: loaded.documents.reduce(0) { $0 + $1.rules.count }, warnings: warnings)))
  }

  func rejected(_ files: [LoadedFile], _ findings: [Diagnostic]) {
    write(.configurationRejected(.init(files: hashes(files), findings: findings)))
  }

  private func hashes(_ files: [LoadedFile]) -> [AuditEvent.FileHash] {
    files.map { AuditEvent.FileHash(path: $0.path, sha256: SHA256.hexadecimal($0.bytes)) }
  }

  /// Named without its hash, by which the key could be had (see ``AuditKey``).
  private func keyFile(_ loaded: LoadedConfiguration) -> [AuditEvent.FileHash] {
    loaded.configuration.audit.key.map { [.init(path: $0.value, sha256: nil)] } ?? []
  }

  func started(_ gateway: Gateway) {
    write(
      .gatewayStarted(
        .init(
          listeners: gateway.listeners.map { .init(name: $0.name, address: "\($0.address)") },
          workers: gateway.workerCount)))
  }

  func stopping(_ cause: String, connections: Int) {
    write(.gatewayStopping(.init(cause: cause, connections: connections)))
  }

  private func write(_ event: AuditEvent) {
    audit.append(encoder.encode(event, id: RandomID.number(), at: Clock.system.wall()))
  }
}
