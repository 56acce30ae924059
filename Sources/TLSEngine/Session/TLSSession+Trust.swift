package import AccessPolicy
import COpenSSL

/// A chain that a client presented, and who is to verify it: equal keys have equal outcomes.
package struct ReverificationKey: Hashable, Sendable {
  fileprivate let key: ChainKey
}

/// A verdict holds for as long as its connection; so does the verification that it rests on.
extension TLSSession {
  /// Takes another context for the one whose trust counts, where both trust alike.
  /// - Returns: whether they do; if not, ``verifyAgain(by:at:)`` is needed.
  package func adoptsTrust(of other: ServerContext) -> Bool {
    if trust === other { return true }
    let name = unsafe state.pointee.serverName
    guard let mine = trust.host(for: name), let others = other.host(for: name),
      mine.trustVersion == others.trustVersion
    else { return false }
    trust = other
    return true
  }

  /// When the verification ceases to hold by time alone; nil before there is one.
  package var validity: ValidityWindow? {
    isEstablished ? unsafe state.pointee.outcome?.validity : nil
  }

  /// - Returns: nil where nobody remembers what was presented, or there is nobody who would verify it.
  package func reverificationKey(by other: ServerContext) -> ReverificationKey? {
    guard let host = unsafe other.host(for: state.pointee.serverName),
      let presented = unsafe state.pointee.judgement?.presented
    else { return nil }
    return ReverificationKey(key: ChainKey(presented: presented, verifier: host.verifier.identity))
  }

  /// Verifies the chain that the client presented in its handshake under the trust of another context, by the host
  /// that the session asked for.
  package func verifyAgain(by other: ServerContext, at now: Timestamp) -> VerificationOutcome {
    guard let host = unsafe other.host(for: state.pointee.serverName) else {
      return .refused(
        .serverNameUnknown, "nothing is served any more under the name that the client asked for")
    }
    guard let presented else {
      return .refused(.certificateMissing, "the client's certificate is not at hand any more")
    }
    return unsafe presented.withPointers { unsafe host.verifier.verify(leaf: $0, presented: $1, at: now) }
  }

  /// Puts the session under the trust of another context.
  /// - Parameter outcome: of the verification there, which the client has passed.
  package func adopt(_ outcome: VerificationOutcome, of other: ServerContext) {
    guard outcome.isVerified else { return }
    trust = other
    unsafe state.pointee.judgement?.outcome = outcome
    // What was kept of it is the old trust's, and no session is kept under that any more.
    unsafe state.pointee.judgement?.isKept = false
  }

  /// What the client presented, in this handshake or in that whose session it resumed; nil before there is anything.
  /// SSL_get_peer_cert_chain(3): on the server's side the client's own certificate is not in it.
  var presented: PresentedStack? {
    guard let leaf = unsafe SSL_get0_peer_certificate(records.ssl) else { return nil }
    return unsafe PresentedStack(leaf: leaf, others: SSL_get_peer_cert_chain(records.ssl))
  }
}
