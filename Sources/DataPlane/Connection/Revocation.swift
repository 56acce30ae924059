import AccessPolicy
import TLSEngine

/// Why a live connection may not go on.
struct Revocation {
  let reason: RevocationReason
  /// What changed, for people.
  let change: String
  /// The decision that ends it, where one does.
  var decision: Decision?

  /// A decision that does not allow what was allowed.
  /// - Parameters:
  ///   - before: what it was let in by.
  ///   - policy: who decided.
  ///   - hasOtherPolicy: whether that is another policy than before; if not, time alone has passed.
  init(_ decision: Decision, before: Decision, _ policy: Policy, hasOtherPolicy: Bool, at now: Timestamp) {
    self.decision = decision
    let old = before.rule ?? ""
    if decision.reason == .default, let end = policy.end(ofRule: old), end <= now {
      reason = .ruleExpired
      change = "the rule '\(old)' that let it in expired at \(end.rfc3339)"
      return
    }
    reason = hasOtherPolicy ? .policyChanged : .ruleExpired
    change =
      switch decision.reason {
      case .rule: "the rule '\(decision.rule ?? "")' denies it\(hasOtherPolicy ? " now" : " at this time")"
      case .default:
        hasOtherPolicy
          ? "the rule '\(old)' does not let it in any more, and no other does"
          : "the time at which the rule '\(old)' lets it in is over"
      case .callerUnmapped: "the certificate is not mapped to a caller any more"
      case .callerAmbiguous: "the certificate is ambiguous now: \(decision.detail ?? "")"
      case .nameUnreadable: "a name in the certificate cannot be read: \(decision.detail ?? "")"
      case .patternLimit: "a regex of the rule '\(decision.rule ?? "")' met its limit"
      }
  }

  /// A chain that is not verified under what is trusted now.
  init(_ failure: HandshakeFailure) {
    reason =
      switch failure.reason {
      case .certificateRevoked, .crlMissing: .crlChanged
      case .crlStale: .crlStale
      case .certificateExpired: .certificateExpired
      default: .trustChanged
      }
    let code = failure.code.map { " (\($0))" } ?? ""
    let subject = failure.subject.map { ", of \($0.isEmpty ? "a certificate without a subject" : $0)" } ?? ""
    change = "the client's chain is not accepted any more\(subject): \(failure.message)\(code)"
  }

  init(_ reason: RevocationReason, _ change: String) {
    self.reason = reason
    self.change = change
  }
}
