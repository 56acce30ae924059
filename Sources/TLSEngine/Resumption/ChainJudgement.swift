import AccessPolicy
import COpenSSL

/// What a presented list of certificates came to: what the leaf says, and whether it may be believed.
struct ChainJudgement: Sendable {
  /// Facts of the leaf, verified or not.
  var certificate: Facts
  var outcome: VerificationOutcome
  /// The seconds in which another verification would come to the same; empty where that is not known.
  var holds: Range<Int64> = 0..<0
  /// The list that it is about; nil where nobody remembers anything.
  var presented: PresentedDigest?
  /// It serves whoever presents the same list to the same verifier, and so may a session that rests on it.
  var isKept = false

  /// Whether it stands at `now` as it stands here.
  func stands(at now: Timestamp) -> Bool { outcome.isVerified && holds.contains(now.seconds) }
}

extension ChainVerifier {
  /// Verifies a list, and reads what its leaf says.
  /// - Parameters:
  ///   - leaf: `X509`; lent.
  ///   - presented: `STACK_OF(X509)`: everything that the client sent; lent.
  func judge(leaf: OpaquePointer, presented: OpaquePointer?, at now: Timestamp) -> ChainJudgement {
    unsafe ChainJudgement(
      certificate: PeerCertificate.facts(leaf), outcome: verify(leaf: leaf, presented: presented, at: now))
  }

  /// The seconds around `now` in which verifying the list again comes to what it came to now.
  func steadySeconds(of outcome: VerificationOutcome, presented: OpaquePointer?, at now: Timestamp)
    -> Range<Int64>
  {
    guard outcome.isVerified, let validity = outcome.validity else { return 0..<0 }
    let span = unsafe turningPoints.span(around: now.seconds, presented: presented)
    let lower = max(span.lowerBound, validity.notBefore.seconds)
    let last = min(validity.notAfter.seconds, validity.staleAfter?.seconds ?? .max)
    let upper = min(span.upperBound, last == .max ? .max : last + 1)
    return lower < upper ? lower..<upper : 0..<0
  }
}
