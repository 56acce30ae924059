import AccessPolicy
import COpenSSL

/// What is odd, but not wrong enough to stop, about the CRLs of a verifier.
enum RevocationFindings {
  /// - Parameters:
  ///   - sets: of a listener and its hosts, which have the same CRLs and perhaps other anchors.
  ///   - now: what the times are compared with.
  static func findings(_ sets: [RevocationSet], at now: Timestamp) -> [TLSConfigurationFinding] {
    guard let own = sets.first else { return [] }
    let anchors = sets.flatMap(\.anchors)
    return own.lists.flatMap { list in unknownIssuer(list, anchors) + validity(list, own.stale, now) }
  }

  /// An intermediate that clients present has no anchor, so this may be meant; a wrong file shows so, too.
  private static func unknownIssuer(
    _ list: RevocationList, _ anchors: [Certificate]
  ) -> [TLSConfigurationFinding] {
    guard unsafe RevocationSet.anchors(anchors, called: list.issuer).isEmpty else { return [] }
    return [
      TLSConfigurationFinding(
        .clientCRL, "crl-issuer-unknown", "no trust anchor is called \(list.issuerText), whose CRL this is",
        hint: "it holds for clients that present an intermediate CA of that name; for no other",
        file: list.file)
    ]
  }

  private static func validity(
    _ list: RevocationList, _ stale: RevocationOptions.Staleness, _ now: Timestamp
  ) -> [TLSConfigurationFinding] {
    func finding(_ code: String, _ message: String, _ hint: String) -> [TLSConfigurationFinding] {
      [
        TLSConfigurationFinding(
          .clientCRL, code, "the CRL of \(list.issuerText) \(message)", hint: hint, file: list.file)
      ]
    }
    if list.thisUpdate.seconds > now.seconds {
      return finding(
        "crl-not-yet-valid",
        "is not valid before \(list.thisUpdate.rfc3339): until then that CA's clients are "
          + "refused", "look at the clock of this machine and of the CA")
    }
    guard let next = list.nextUpdate else {
      return finding(
        "crl-no-next-update",
        "has no nextUpdate (RFC 5280 §5.1.2.5), and counts as stale from its thisUpdate on",
        "let the CA write one; crl_stale says what becomes of stale CRLs")
    }
    if next.seconds < now.seconds {
      let end = list.lastSecond(stale)
      let effect =
        end.map {
          $0.seconds < now.seconds ? "that CA's clients are refused" : "it is good until \($0.rfc3339)"
        }
        ?? "crl_stale lets it pass"
      return finding("crl-stale", "is past its nextUpdate, \(next.rfc3339): \(effect)", "fetch the new one")
    }
    // As with certificates: thirty days before the end, or the last third of a short life.
    let left = next.seconds - now.seconds
    guard left < min(30 * 86_400, max(0, (next.seconds - list.thisUpdate.seconds) / 3)) else { return [] }
    let words = left >= 2 * 86_400 ? "\(left / 86_400) days" : "less than \(left / 3_600 + 1) h"
    return finding("crl-expiring", "ends at \(next.rfc3339), in \(words)", "fetch the next one before then")
  }

  /// The intermediates that clients present are not known here; the anchors are.
  static func missing(_ set: RevocationSet) -> [TLSConfigurationFinding] {
    guard set.isRequired else { return [] }
    defer { ERR_clear_error() }
    return set.anchors.compactMap { anchor in
      guard unsafe X509_check_ca(anchor.pointer) != 0,
        unsafe set.lists(of: X509_get_subject_name(anchor.pointer)).isEmpty
      else { return nil }
      return TLSConfigurationFinding(
        .clientCA, "crl-missing",
        "there is no CRL of \(anchor.subject), and crl_required is true: whom it issued "
          + "a certificate is refused", hint: "add the CA's CRL to client_crl")
    }
  }
}
