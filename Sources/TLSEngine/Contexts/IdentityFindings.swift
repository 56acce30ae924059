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

  private static func validity(
    _ certificate: Certificate, called name: String, at now: Timestamp
  ) -> [TLSConfigurationFinding] {
    if let notAfter = certificate.notAfter, notAfter.seconds < now.seconds {
      return [
        TLSConfigurationFinding(
          .certificate, "certificate-expired", "\(name) (\(certificate.subject)) has expired",
          hint: "clients that verify it will not connect: renew it")
      ]
    }
    if let notBefore = certificate.notBefore, notBefore.seconds > now.seconds {
      return [
        TLSConfigurationFinding(
          .certificate, "certificate-not-yet-valid", "\(name) (\(certificate.subject)) is not valid yet",
          hint: "look at the clock of this machine and of the one that issued it")
      ]
    }
    return []
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
