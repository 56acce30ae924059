import AccessPolicy
import COpenSSL

/// What is odd, but not wrong enough to stop, about our own certificates.
enum IdentityFindings {
  /// - Parameter now: what the validity is compared with.
  static func findings(_ identity: OwnIdentity, at now: Timestamp) -> [TLSConfigurationFinding] {
    let ofChain = identity.chain.enumerated().flatMap { index, certificate in
      let name = index == 0 ? "the certificate" : "certificate \(index + 1) of the chain"
      return validity(certificate, called: name, at: now)
    }
    let findings = (ofChain + purpose(identity.chain) + authority(identity.chain)).map { finding in
      var finding = finding
      finding.file = identity.file
      return finding
    }
    return findings + (identity.staple.map { StapleFindings.findings($0, at: now) } ?? [])
  }

  /// An anchor outside of its time refuses every client below it.
  static func findings(anchors: [TrustAnchor], at now: Timestamp) -> [TLSConfigurationFinding] {
    anchors.compactMap(noAuthority)
      + anchors.flatMap { anchor in
        validity(anchor.certificate, called: "the trust anchor", at: now).map { finding in
          var finding = finding
          finding.subject = .clientCA
          finding.file = anchor.file
          finding.hint =
            finding.code == "certificate-not-yet-valid"
            ? finding.hint : "clients whose chains end here are refused from then on: add its successor"
          return finding
        }
      }
  }

  private static func validity(
    _ certificate: Certificate, called name: String, at now: Timestamp
  ) -> [TLSConfigurationFinding] {
    let named = "\(name) (\(certificate.subject))"
    if let notAfter = certificate.notAfter, notAfter.seconds < now.seconds {
      return [
        TLSConfigurationFinding(
          .certificate, "certificate-expired", "\(named) has expired",
          hint: "clients that verify it will not connect: renew it")
      ]
    }
    if let notBefore = certificate.notBefore, notBefore.seconds > now.seconds {
      return [
        TLSConfigurationFinding(
          .certificate, "certificate-not-yet-valid", "\(named) is not valid yet",
          hint: "look at the clock of this machine and of the one that issued it")
      ]
    }
    guard let notAfter = certificate.notAfter, isNearItsEnd(certificate, notAfter, now) else { return [] }
    return [
      TLSConfigurationFinding(
        .certificate, "certificate-expiring",
        "\(named) expires at \(notAfter.rfc3339), in \(left(notAfter, now))",
        hint: "renew it before then")
    ]
  }

  /// Thirty days before the end; of a certificate with a short life its last third, in which whoever renews
  /// such certificates has done so.
  private static func isNearItsEnd(_ certificate: Certificate, _ notAfter: Timestamp, _ now: Timestamp)
    -> Bool
  {
    let life = notAfter.seconds - (certificate.notBefore?.seconds ?? notAfter.seconds)
    return notAfter.seconds - now.seconds < min(30 * 86_400, max(0, life / 3))
  }

  private static func left(_ notAfter: Timestamp, _ now: Timestamp) -> String {
    let seconds = notAfter.seconds - now.seconds
    return seconds >= 2 * 86_400 ? "\(seconds / 86_400) days" : "less than \(seconds / 3_600 + 1) h"
  }

  /// A CA's key that lies on a server in the network can issue certificates for everybody once it is stolen.
  private static func authority(_ chain: [Certificate]) -> [TLSConfigurationFinding] {
    guard let leaf = chain.first, isAuthority(leaf) else { return [] }
    return [
      TLSConfigurationFinding(
        .certificate, "certificate-of-ca", "the certificate (\(leaf.subject)) is that of a CA",
        hint:
          "issue a certificate for this server by it (basicConstraints CA:FALSE), and keep the CA's key elsewhere"
      )
    ]
  }

  /// As an anchor it is legal (X509_V_FLAG_PARTIAL_CHAIN) and seldom meant: it vouches for nobody but itself.
  private static func noAuthority(_ anchor: TrustAnchor) -> TLSConfigurationFinding? {
    if isAuthority(anchor.certificate) { return nil }
    var finding = TLSConfigurationFinding(
      .clientCA, "anchor-not-ca",
      "the trust anchor (\(anchor.certificate.subject)) is not the certificate of a CA",
      hint:
        "only this one certificate is let in by it: put the certificate of the CA that issues the clients' there"
    )
    finding.file = anchor.file
    return finding
  }

  /// Including roots of X.509 version 1, and what has keyCertSign and no basicConstraints (X509_check_ca(3)).
  private static func isAuthority(_ certificate: Certificate) -> Bool {
    defer { ERR_clear_error() }
    return unsafe X509_check_ca(certificate.pointer) != 0
  }

  private static func purpose(_ chain: [Certificate]) -> [TLSConfigurationFinding] {
    guard let leaf = chain.first, unsafe X509_check_purpose(leaf.pointer, X509_PURPOSE_SSL_SERVER, 0) != 1
    else { return [] }
    ERR_clear_error()
    return [
      TLSConfigurationFinding(
        .certificate, "certificate-purpose", "\(leaf.subject) is not issued for a TLS server",
        hint: "clients that verify it want serverAuth in extendedKeyUsage, where there is one")
    ]
  }
}
