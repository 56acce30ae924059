import AccessPolicy
import COpenSSL

/// What is odd, but not wrong enough to stop, about our own certificates.
enum IdentityFindings {
  /// - Parameter now: what the validity is compared with.
  static func findings(_ chain: [Certificate], at now: Timestamp) -> [TLSConfigurationFinding] {
    chain.enumerated().flatMap { index, certificate in
      let name = index == 0 ? "the certificate" : "certificate \(index + 1) of the chain"
      return validity(certificate, called: name, at: now)
    } + purpose(chain)
  }

  /// An anchor outside of its time refuses every client below it.
  static func findings(anchors: [Certificate], at now: Timestamp) -> [TLSConfigurationFinding] {
    anchors.flatMap { anchor in
      validity(anchor, called: "the trust anchor", at: now).map { finding in
        var finding = finding
        finding.subject = .clientCA
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
