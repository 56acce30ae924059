import AccessPolicy

/// What is odd about an OCSP response for our own certificate: it is not sent then, or sent unchecked.
enum StapleFindings {
  static func findings(_ staple: StapledResponse, at now: Timestamp) -> [TLSConfigurationFinding] {
    var findings = standing(staple, at: now)
    if !staple.isVerified {
      findings.append(
        TLSConfigurationFinding(
          .ocspResponse, "response-unverified",
          "nobody has checked who signed the OCSP response: the certificate's issuer is not at hand",
          hint: "put the issuer's certificate behind the leaf in the file of the certificate"))
    }
    return findings.map { finding in
      var finding = finding
      finding.file = staple.file
      return finding
    }
  }

  private static func standing(_ staple: StapledResponse, at now: Timestamp) -> [TLSConfigurationFinding] {
    guard staple.status == .good else {
      return [
        TLSConfigurationFinding(
          .ocspResponse, "response-not-good",
          "the OCSP response says that the certificate is \(staple.status), and is not sent",
          hint: "clients that ask the CA themselves will not connect: renew the certificate")
      ]
    }
    if now.seconds > staple.nextUpdate.seconds {
      return [
        TLSConfigurationFinding(
          .ocspResponse, "response-stale",
          "the OCSP response held until \(staple.nextUpdate.rfc3339), and is sent no more",
          hint: "fetch a new one, and do so regularly")
      ]
    }
    guard now.seconds < staple.thisUpdate.seconds else { return [] }
    return [
      TLSConfigurationFinding(
        .ocspResponse, "response-not-yet-valid",
        "the OCSP response holds from \(staple.thisUpdate.rfc3339) on, and is not sent before",
        hint: "look at the clock of this machine and of the responder's")
    ]
  }
}
