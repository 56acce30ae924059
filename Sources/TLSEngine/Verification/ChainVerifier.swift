package import AccessPolicy
import COpenSSL

/// What the verification of a chain came to.
package struct VerificationOutcome: Sendable {
  /// Nil where the chain is verified.
  package var failure: HandshakeFailure?
  /// What only a verified chain tells: `root_sha256`, `trust_label` and `chain_length`; empty where it is not.
  package var facts: Facts
  /// When the verdict holds, if nothing is loaded anew; nil where the chain is not verified.
  package var validity: ValidityWindow?
  /// OpenSSL's number for the result, which chooses the alert that the client sees.
  let error: Int32

  /// Whether the chain is verified.
  package var isVerified: Bool { failure == nil }
}

/// Verifies client certificates against one set of trust anchors, alike for handshakes and for `explain`.
///
/// The anchors are those of the bundle alone: the default verify paths of the system are never asked
/// (CVE-2026-27586 shows where that ends).
@safe
package final class ChainVerifier: @unchecked Sendable {
  // Sendable: the store is filled before anyone else sees it and then only looked up in, under its own lock.
  private let store: OpaquePointer
  /// The certificates that are trusted, each once.
  package let anchors: [TrustAnchor]
  private let labels: TrustLabels
  let revocation: RevocationSet
  let identity = Identity.next()
  let turningPoints: TurningPoints

  /// Loads and checks all anchors and CRLs.
  package init(_ options: TrustOptions) throws(TLSConfigurationError) {
    let labelled = try LabelledAnchors(options.bundles)
    anchors = labelled.all
    labels = TrustLabels(labelled)
    let certificates = anchors.map(\.certificate)
    revocation = try RevocationSet(options.revocation, anchors: certificates)
    turningPoints = TurningPoints(anchors: certificates, lists: revocation.lists)
    guard let store = unsafe X509_STORE_new() else { throw .outOfMemory }
    unsafe self.store = store
    for anchor in anchors where unsafe X509_STORE_add_cert(store, anchor.certificate.pointer) != 1 {
      throw .outOfMemory
    }
  }

  deinit { unsafe X509_STORE_free(store) }

  /// - Parameter now: judged in whole seconds, fractions floored.
  package func verify(_ chain: PresentedChain, at now: Timestamp) -> VerificationOutcome {
    guard let stack = unsafe shim_sk_X509_new_null() else { return .failed(X509_V_ERR_OUT_OF_MEM) }
    defer { unsafe shim_sk_X509_free(stack) }
    for certificate in [chain.leaf] + chain.others
    where unsafe shim_sk_X509_push(stack, certificate.pointer) <= 0 {
      return .failed(X509_V_ERR_OUT_OF_MEM)
    }
    return withExtendedLifetime(chain) { unsafe verify(leaf: chain.leaf.pointer, presented: stack, at: now) }
  }

  /// - Parameters:
  ///   - leaf: `X509`; lent.
  ///   - presented: `STACK_OF(X509)`: everything that the client sent; lent.
  func verify(leaf: OpaquePointer, presented: OpaquePointer?, at now: Timestamp) -> VerificationOutcome {
    if let failure = unsafe ChainLimits.refusal(leaf: leaf, presented: presented) {
      let tooLong = failure.reason == .chainTooLong
      return VerificationOutcome(
        failure: failure, facts: Facts(),
        error: tooLong ? X509_V_ERR_CERT_CHAIN_TOO_LONG : X509_V_ERR_CERT_REJECTED)
    }
    guard let context = unsafe X509_STORE_CTX_new() else { return .failed(X509_V_ERR_OUT_OF_MEM) }
    defer { unsafe X509_STORE_CTX_free(context) }
    guard unsafe X509_STORE_CTX_init(context, store, leaf, presented) == 1,
      let parameters = unsafe X509_STORE_CTX_get0_param(context), unsafe Self.configure(parameters, at: now)
    else { return .failed(X509_V_ERR_OUT_OF_MEM) }
    unsafe X509_STORE_CTX_set_verify_cb(context, acceptLastSecond)
    ERR_clear_error()
    defer { ERR_clear_error() }
    let verified = unsafe X509_verify_cert(context) == 1
    let error = unsafe X509_STORE_CTX_get_error(context)
    guard verified, error == X509_V_OK, let chain = unsafe X509_STORE_CTX_get0_chain(context) else {
      return unsafe Self.failure(context, error: error)
    }
    var facts = unsafe Self.facts(of: chain)
    if let refusal = unsafe labels.label(leaf, presented: presented, at: now, &facts) {
      return VerificationOutcome(failure: refusal, facts: Facts(), error: X509_V_ERR_CERT_REJECTED)
    }
    return unsafe judgeRevocation(of: chain, facts, at: now)
  }

  /// - Parameters:
  ///   - chain: `STACK_OF(X509)`, verified; lent.
  ///   - facts: what it tells.
  private func judgeRevocation(
    of chain: OpaquePointer, _ facts: Facts, at now: Timestamp
  ) -> VerificationOutcome {
    var staleAfter: Timestamp?
    if !revocation.isIdle {
      switch unsafe RevocationCheck(revocation, chain: chain, now: now).run() {
      case .refused(let error, let failure):
        return VerificationOutcome(failure: failure, facts: Facts(), error: error)
      case .good(let end): staleAfter = end
      }
    }
    var outcome = VerificationOutcome(failure: nil, facts: facts, error: X509_V_OK)
    outcome.validity = unsafe ValidityWindow(of: chain, staleAfter: staleAfter)
    return outcome
  }

  /// Says what a valid client certificate is; nothing here may depend on a listener.
  private static func configure(_ parameters: OpaquePointer, at now: Timestamp) -> Bool {
    // PARTIAL_CHAIN: an intermediate in the bundle is an anchor, too. POLICY_CHECK: critical
    // policyConstraints are honoured. No X509_STRICT: it refuses the CAs that plain `openssl req -x509` makes.
    let flags = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_POLICY_CHECK
    unsafe X509_VERIFY_PARAM_set_depth(parameters, ChainLimits.intermediates)
    unsafe X509_VERIFY_PARAM_set_auth_level(parameters, ContextSettings.securityLevel)
    unsafe X509_VERIFY_PARAM_set_time(parameters, Int(now.seconds))
    return unsafe X509_VERIFY_PARAM_set_flags(parameters, UInt(flags)) == 1
      && X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_CLIENT) == 1
      && X509_VERIFY_PARAM_set_trust(parameters, X509_TRUST_SSL_CLIENT) == 1
      // The user-initial-policy-set of RFC 5280 §6.1.1 (c). Without one, OpenSSL takes the empty set where a
      // certificate requires an explicit policy, and refuses every such chain. The object is a constant.
      && X509_VERIFY_PARAM_add0_policy(parameters, OBJ_nid2obj(NID_any_policy)) == 1
  }

  private static func failure(_ context: OpaquePointer, error: Int32) -> VerificationOutcome {
    // X509_verify_cert(3) may fail with X509_V_OK in odd cases; that is never a success.
    let error = error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error
    let (name, reason) = VerificationErrors.describe(error)
    // Policy processing judges the chain as a whole: then there is no certificate, and no depth.
    let certificate = unsafe X509_STORE_CTX_get_current_cert(context)
    // An extension that cannot be decoded comes out as whatever check met it first.
    let isBroken = unsafe certificate.map {
      unsafe X509_get_extension_flags($0) & UInt32(EXFLAG_INVALID) != 0
    }
    let sentence = VerificationErrors.sentence(error)
    let failure = HandshakeFailure(
      reason: isBroken == true ? .certificateMalformed : reason, code: name,
      message: isBroken == true
        ? "an extension of the certificate cannot be decoded (\(sentence))" : sentence,
      depth: unsafe certificate.map { _ in unsafe Int(X509_STORE_CTX_get_error_depth(context)) },
      subject: unsafe certificate.map { unsafe DistinguishedName(X509_get_subject_name($0)).text })
    return VerificationOutcome(failure: failure, facts: Facts(), error: error)
  }

  private static func facts(of chain: OpaquePointer) -> Facts {
    var facts = Facts()
    let count = unsafe shim_sk_X509_num(chain)
    facts[.chainLength] = .integer(Int(count))
    if let anchor = unsafe shim_sk_X509_value(chain, count - 1) {
      facts[.rootSHA256] = unsafe CertificateBytes.sha256(anchor).map { .text($0) }
    }
    return facts
  }
}

extension VerificationOutcome {
  /// A refusal for which no chain had to be built.
  static func refused(_ reason: HandshakeReason, _ message: String) -> VerificationOutcome {
    VerificationOutcome(
      failure: HandshakeFailure(reason: reason, code: nil, message: message), facts: Facts(),
      error: X509_V_ERR_APPLICATION_VERIFICATION)
  }

  fileprivate static func failed(_ error: Int32) -> VerificationOutcome {
    let (name, reason) = VerificationErrors.describe(error)
    let failure = HandshakeFailure(
      reason: reason, code: name, message: VerificationErrors.sentence(error))
    return VerificationOutcome(failure: failure, facts: Facts(), error: error)
  }
}

/// X509_cmp_time(3) calls equal times "earlier", so OpenSSL ends a certificate one second before notAfter,
/// which RFC 5280 §4.1.2.5 includes. This takes that second back, and nothing else.
private func acceptLastSecond(_ verified: Int32, _ context: OpaquePointer?) -> Int32 {
  guard verified != 1, unsafe X509_STORE_CTX_get_error(context) == X509_V_ERR_CERT_HAS_EXPIRED,
    let certificate = unsafe X509_STORE_CTX_get_current_cert(context),
    let parameters = unsafe X509_STORE_CTX_get0_param(context),
    let notAfter = unsafe CertificateTime.seconds(X509_get0_notAfter(certificate)),
    unsafe notAfter == Int64(X509_VERIFY_PARAM_get_time(parameters))
  else { return verified }
  unsafe X509_STORE_CTX_set_error(context, X509_V_OK)
  return 1
}
