package import AccessPolicy
package import GatewayConfiguration
package import TLSEngine

extension SnapshotBuilder {
  /// What a listener's clients are asked of CRLs, for handshakes and for `explain` alike.
  package static func revocation(_ configured: Revocation, _ material: TLSMaterial) -> RevocationOptions {
    let stale: RevocationOptions.Staleness =
      switch configured.stale {
      case .deny: .deny
      case .allow: .allow
      case .allowFor(let time): .allowFor(time)
      }
    return RevocationOptions(crls: material.clientCRLs, stale: stale, isRequired: configured.isRequired)
  }
}

extension Revocation {
  /// - Parameter number: a file's place among the CRLs.
  package func file(_ number: Int?) -> Located<String>? {
    number.flatMap { files.indices.contains($0) ? files[$0] : nil }
  }
}
