package import AccessPolicy
package import AuditLog
package import EventLoop
import GatewayConfiguration
package import TLSEngine

/// Somebody who has opened a TCP connection. Nothing is known but where from.
package struct UnverifiedPeer: Sendable {
  package let address: NetworkAddress
  /// The facts of the connection itself: addresses, listener, upstream, protocol.
  package private(set) var facts: Facts
  /// What a trusted PROXY header says.
  private var claim: ProxyHeader.Claim?

  /// Where the client is, as far as anybody knows.
  package var clientAddress: NetworkAddress { claim?.source ?? address }
  /// The address that the client reached, where a trusted PROXY header says so.
  package var claimedDestination: NetworkAddress? { claim?.destination }

  package init(address: NetworkAddress, listener: ListenerSnapshot) {
    self.address = address
    var facts = Facts()
    if let ip = address.ip {
      facts[.sourceIP] = .address(ip)
      facts[.clientIP] = .address(ip)
    }
    if let port = address.port {
      facts[.sourcePort] = .integer(Int(port))
      facts[.clientPort] = .integer(Int(port))
    }
    facts[.listener] = .text(listener.name)
    facts[.upstream] = .text(listener.upstream.name)
    facts[.protocol] = .text(listener.wireProtocol.rawValue)
    self.facts = facts
  }

  /// Takes a trusted PROXY header's word for where the client is.
  mutating func believe(_ claim: ProxyHeader.Claim) {
    self.claim = claim
    facts[.clientIP] = claim.source.ip.map { .address($0) }
    facts[.clientPort] = claim.source.port.map { .integer(Int($0)) }
  }
}

/// A peer whose certificate chain was verified in a handshake that completed: the only kind that is judged.
package struct VerifiedPeer: Sendable {
  package let facts: Facts

  /// - Parameter claims: what the client says of itself in the first message of its protocol.
  /// - Returns: nil unless `session` has completed its handshake, which it cannot without a verified chain.
  package init?(_ peer: UnverifiedPeer, session: TLSSession, claims: Facts = Facts()) {
    guard session.isEstablished else { return nil }
    var facts = peer.facts
    facts.merge(session.facts)
    facts.merge(claims)
    self.facts = facts
  }

  private init(facts: Facts) { self.facts = facts }

  /// The same peer, whose chain was verified once more: what a verified chain tells is told by that one alone.
  /// - Returns: nil where it was not.
  func verifiedAgain(_ outcome: VerificationOutcome) -> VerifiedPeer? {
    guard outcome.isVerified else { return nil }
    let told = [Field.rootSHA256, .chainLength, .trustLabel]
    // Mostly it tells the same: another bundle was read, and the client's CA is in it as before.
    if told.allSatisfy({ self.facts[$0] == outcome.facts[$0] }) { return self }
    var facts = facts
    for field in told { facts[field] = nil }
    facts.merge(outcome.facts)
    return VerifiedPeer(facts: facts)
  }
}

/// The right to reach the upstream once: an enforced `allow` that the audit log has cleared: it has accepted the
/// record, or waived it as the configuration allows.
///
/// A relay cannot be built without one, and there is no other way to make one than from both proofs.
package struct Permit: ~Copyable {
  package let decision: Decision
  package let clearance: AuditClearance

  /// - Returns: nil unless the decision allows.
  package init?(_ decision: Decision, cleared clearance: AuditClearance) {
    guard decision.verdict == .allow else { return nil }
    self.decision = decision
    self.clearance = clearance
  }
}
