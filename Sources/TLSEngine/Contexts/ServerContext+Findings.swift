package import AccessPolicy
import COpenSSL

extension ServerContext {
  /// Warnings about our own certificates and the clients' trust anchors, each where it is configured.
  /// - Parameter now: what the validity is compared with.
  package func findings(at now: Timestamp) -> [TLSConfigurationFinding] {
    var findings = Self.findings(ownHost, at: now)
    for (index, host) in hosts.enumerated() {
      findings += Self.findings(host, besides: ownHost, at: now).map { finding in
        var finding = finding
        finding.host = index
        return finding
      }
    }
    return findings + RevocationFindings.findings(([ownHost] + hosts).map(\.verifier.revocation), at: now)
  }

  /// - Parameter listener: whose files were told of already.
  private static func findings(
    _ host: ServerHost, besides listener: ServerHost? = nil, at now: Timestamp
  ) -> [TLSConfigurationFinding] {
    var findings: [TLSConfigurationFinding] = []
    let known = listener?.identities.map(\.key) ?? []
    for identity in host.identities where !known.contains(where: { $0 === identity.key }) {
      findings += IdentityFindings.findings(identity, at: now)
    }
    if host.verifier !== listener?.verifier {
      findings += IdentityFindings.findings(anchors: host.verifier.anchors, at: now)
      findings += RevocationFindings.missing(host.verifier.revocation)
    }
    return findings + host.identities.flatMap { uncovered(host.names, by: $0) }
  }

  /// Clients that verify the server's name do not connect to a name that no certificate has.
  private static func uncovered(_ names: [String], by identity: OwnIdentity) -> [TLSConfigurationFinding] {
    guard let leaf = identity.leaf else { return [] }
    let missing = names.filter { !leaf.covers($0) }
    if missing.isEmpty { return [] }
    var finding = TLSConfigurationFinding(
      .serverName, "name-not-covered",
      "the certificate (\(leaf.subject)) is not for \(missing.joined(separator: ", "))",
      hint:
        "clients that verify it will not connect: issue it for these names (subjectAltName), or take them out"
    )
    finding.file = identity.file
    return [finding]
  }
}

extension Certificate {
  /// Whether a client that asks for the name takes the certificate (RFC 6125 §6.4): by its subjectAltName, as the
  /// common name is looked at no more.
  /// - Parameter name: with `*.` in front where it stands for all names one label below.
  func covers(_ name: String) -> Bool {
    let asked = name.hasPrefix("*.") ? "any-name-at-all" + name.dropFirst(1) : name
    let flags = UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS) | UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
    defer { ERR_clear_error() }
    return unsafe X509_check_host(pointer, asked, asked.utf8.count, flags, nil) == 1
  }
}
