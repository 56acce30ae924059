package import AccessPolicy
import COpenSSL

/// A chain that a client presented, and what it is to be verified against: equal keys have equal outcomes.
package struct ReverificationKey: Hashable, Sendable {
  private let chain: [UInt8]
  private let trust: [UInt8]

  fileprivate init(chain: [UInt8], trust: [UInt8]) {
    self.chain = chain
    self.trust = trust
  }
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

  /// - Returns: nil where there is nothing to verify, or nobody who would.
  package func reverificationKey(by other: ServerContext) -> ReverificationKey? {
    guard let host = unsafe other.host(for: state.pointee.serverName), let chain = presentedChain else {
      return nil
    }
    var text: [UInt8] = []
    for certificate in [chain.leaf] + chain.others {
      guard let hash = unsafe CertificateBytes.sha256(certificate.pointer) else { return nil }
      text += hash.utf8
    }
    return ReverificationKey(chain: SHA256.hash(text), trust: host.trustVersion)
  }

  /// Verifies the chain that the client presented in its handshake under the trust of another context, by the host
  /// that the session asked for.
  package func verifyAgain(by other: ServerContext, at now: Timestamp) -> VerificationOutcome {
    guard let host = unsafe other.host(for: state.pointee.serverName) else {
      return .refused(
        .serverNameUnknown, "nothing is served any more under the name that the client asked for")
    }
    guard let chain = presentedChain else {
      return .refused(.certificateMissing, "the client's certificate is not at hand any more")
    }
    return host.verifier.verify(chain, at: now)
  }

  /// Puts the session under the trust of another context.
  /// - Parameter outcome: of the verification there, which the client has passed.
  package func adopt(_ outcome: VerificationOutcome, of other: ServerContext) {
    guard outcome.isVerified else { return }
    trust = other
    unsafe state.pointee.judgement?.outcome = outcome
    // What was kept of it is the old trust's, and no session is kept under that any more.
    unsafe state.pointee.judgement?.key = nil
  }

  /// SSL_get_peer_cert_chain(3): on the server's side the client's own certificate is not in it.
  private var presentedChain: PresentedChain? {
    guard isEstablished,
      let leaf = unsafe SSL_get0_peer_certificate(records.ssl).flatMap({ unsafe Self.share($0) })
    else { return nil }
    var others: [Certificate] = []
    if let stack = unsafe SSL_get_peer_cert_chain(records.ssl) {
      for index in unsafe 0..<shim_sk_X509_num(stack) {
        guard let other = unsafe shim_sk_X509_value(stack, index).flatMap({ unsafe Self.share($0) }) else {
          return nil
        }
        others.append(other)
      }
    }
    return PresentedChain(leaf: leaf, others: others)
  }

  private static func share(_ certificate: OpaquePointer) -> Certificate? {
    guard unsafe X509_up_ref(certificate) == 1 else { return nil }
    return unsafe Certificate(owning: certificate)
  }
}
