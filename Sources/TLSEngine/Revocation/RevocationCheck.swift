import AccessPolicy
import COpenSSL

/// Asks the CRLs of a chain that is verified already, so that nobody without a certificate of a trusted CA makes
/// us ask one (OpenSSL asks them before it checks the chain's signatures, and hashes a whole list each time).
@safe
struct RevocationCheck {
  enum Result {
    /// Nobody is revoked; the last second for which the CRLs say so, nil: for ever.
    case good(staleAfter: Timestamp?)
    case refused(error: Int32, HandshakeFailure)
  }

  private let set: RevocationSet
  private let chain: [OpaquePointer]
  private let now: Timestamp

  /// - Parameter chain: `STACK_OF(X509)` as X509_verify_cert built it, the leaf first, the anchor last; lent.
  init(_ set: RevocationSet, chain: OpaquePointer, now: Timestamp) {
    self.set = set
    self.now = now
    let count = unsafe shim_sk_X509_num(chain)
    unsafe self.chain = (0..<max(0, count)).compactMap { unsafe shim_sk_X509_value(chain, $0) }
  }

  func run() -> Result {
    var window: Timestamp?
    for depth in unsafe chain.indices {
      switch unsafe check(chain[depth], at: depth) {
      case .refused(let error, let failure): return .refused(error: error, failure)
      case .good(let staleAfter):
        if let staleAfter { window = min(window ?? staleAfter, staleAfter) }
      }
    }
    return .good(staleAfter: window)
  }

  private func check(_ certificate: OpaquePointer, at depth: Int) -> Result {
    let isAnchor = unsafe depth == chain.count - 1
    let candidates = unsafe set.lists(of: X509_get_issuer_name(certificate))
    guard !candidates.isEmpty else {
      if isAnchor || !set.isRequired { return .good(staleAfter: nil) }
      return unsafe refusal(certificate, depth, X509_V_ERR_UNABLE_TO_GET_CRL, "and crl_required is true")
    }
    let matched = unsafe match(candidates, certificate, depth)
    let serial = unsafe X509_get0_serialNumber(certificate).map { unsafe SerialNumber($0) }
    for list in matched.usable where serial.map(list.lists) ?? true {
      return unsafe refusal(certificate, depth, X509_V_ERR_CERT_REVOKED, "by the CRL of \(list.issuerText)")
    }
    // RFC 5280 §6.3.3 speaks of certificates in the path, and an anchor is not: it needs no CRL.
    if isAnchor { return .good(staleAfter: nil) }
    guard let problem = matched.problem else { return unsafe freshness(matched, certificate, depth) }
    return unsafe refusal(certificate, depth, problem, nil)
  }

  /// What the CRLs of a name have to do with a certificate.
  private struct Match {
    /// Signed by a key of the issuer's name, speaking of the certificate, none older than another of its kind.
    var usable: [RevocationList] = []
    /// Those of them that the certificate's own issuer signed.
    var own: [RevocationList] = []
    /// Why none is usable.
    var problem: Int32?
  }

  private func match(
    _ candidates: [RevocationList], _ certificate: OpaquePointer, _ depth: Int
  ) -> Match {
    let signers = unsafe self.signers(of: certificate, depth)
    var match = Match(problem: X509_V_ERR_CRL_SIGNATURE_FAILURE)
    var newest: [[UInt8]: RevocationList] = [:]
    var signed: [(list: RevocationList, signer: RevocationSigner)] = []
    for list in candidates {
      let own = signers.filter { list.isSigned(by: $0) }
      guard let signer = own.first(where: \.maySign) else {
        if !own.isEmpty, signed.isEmpty { match.problem = X509_V_ERR_KEYUSAGE_NO_CRL_SIGN }
        continue
      }
      let kind = signer.identity + list.scope.identity
      if newest[kind].map({ $0.thisUpdate < list.thisUpdate }) ?? true { newest[kind] = list }
      signed.append((list, signer))
    }
    for (list, signer) in signed {
      match.problem = X509_V_ERR_DIFFERENT_CRL_SCOPE
      let latest = newest[signer.identity + list.scope.identity]
      guard list.thisUpdate == latest?.thisUpdate, unsafe list.scope.covers(certificate) else { continue }
      match.usable.append(list)
      if signer.identity == signers.first?.identity { match.own.append(list) }
    }
    if !match.usable.isEmpty { match.problem = nil }
    return match
  }

  /// The certificates whose key may speak for a certificate's issuer: the issuer itself, then CAs of the same
  /// name further up the chain and among the anchors, who had or have another key (RFC 5280 §6.3.3 (f)).
  private func signers(of certificate: OpaquePointer, _ depth: Int) -> [RevocationSigner] {
    let name = unsafe X509_get_issuer_name(certificate)
    let above = unsafe chain.dropFirst(depth + 1).filter {
      unsafe X509_NAME_cmp(X509_get_subject_name($0), name) == 0
    }
    let anchors = unsafe RevocationSet.anchors(set.anchors, called: name).map { unsafe $0.pointer }
    var seen: Set<[UInt8]> = []
    return unsafe (above + anchors).compactMap { unsafe RevocationSigner($0) }.filter {
      // The same key under two certificates counts as what the better one allows.
      $0.maySign ? seen.insert($0.identity).inserted : true
    }
  }

  /// What the certificate's own issuer signed decides; other keys of its name where it signed nothing.
  private func freshness(_ match: Match, _ certificate: OpaquePointer, _ depth: Int) -> Result {
    let lists = match.own.isEmpty ? match.usable : match.own
    let current = lists.filter { $0.thisUpdate.seconds <= now.seconds }
    guard !current.isEmpty else {
      return unsafe refusal(certificate, depth, X509_V_ERR_CRL_NOT_YET_VALID, since(lists.first?.thisUpdate))
    }
    let ends = current.map { $0.lastSecond(set.stale) }
    guard let end = ends.compactMap({ $0 }).max(), !ends.contains(nil) else {
      return .good(staleAfter: nil)
    }
    if now.seconds <= end.seconds { return .good(staleAfter: end) }
    let next = current.compactMap(\.nextUpdate).max()
    return unsafe refusal(
      certificate, depth, X509_V_ERR_CRL_HAS_EXPIRED,
      next.map { "its nextUpdate was \($0.rfc3339)" } ?? "it names no nextUpdate")
  }

  private func since(_ time: Timestamp?) -> String? { time.map { "its thisUpdate is \($0.rfc3339)" } }

  private func refusal(
    _ certificate: OpaquePointer, _ depth: Int, _ error: Int32, _ detail: String?
  ) -> Result {
    let (name, reason) = VerificationErrors.describe(error)
    let issuer = unsafe DistinguishedName(X509_get_issuer_name(certificate)).text
    let words = RevocationWords.sentence(error, issuer: issuer)
    let failure = HandshakeFailure(
      reason: reason, code: name, message: detail.map { "\(words), \($0)" } ?? words, depth: depth,
      subject: unsafe DistinguishedName(X509_get_subject_name(certificate)).text)
    return .refused(error: error, failure)
  }
}

/// OpenSSL's sentences name neither the CRL nor the CA.
enum RevocationWords {
  static func sentence(_ error: Int32, issuer: String) -> String {
    switch error {
    case X509_V_ERR_CERT_REVOKED: "the certificate is revoked"
    case X509_V_ERR_UNABLE_TO_GET_CRL: "there is no CRL of \(issuer)"
    case X509_V_ERR_CRL_SIGNATURE_FAILURE: "no CRL of \(issuer) is signed by that CA's key"
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN: "the keyUsage of \(issuer) does not let it sign CRLs"
    case X509_V_ERR_DIFFERENT_CRL_SCOPE: "no CRL of \(issuer) speaks of this certificate"
    case X509_V_ERR_CRL_NOT_YET_VALID: "the CRL of \(issuer) is not valid yet"
    case X509_V_ERR_CRL_HAS_EXPIRED: "the CRL of \(issuer) is stale"
    default: VerificationErrors.sentence(error)
    }
  }
}
