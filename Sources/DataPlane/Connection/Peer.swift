package import AccessPolicy
package import AuditLog
package import EventLoop
package import TLSEngine

/// Somebody who has opened a TCP connection. Nothing is known but where from.
package struct UnverifiedPeer: Sendable {
  package let address: NetworkAddress
  /// The facts of the connection itself: addresses, listener, upstream, protocol.
  package let facts: Facts

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
    facts[.protocol] = .text(listener.protocol)
    self.facts = facts
  }
}

/// A peer whose certificate chain was verified in a handshake that completed: the only kind that is judged.
package struct VerifiedPeer: Sendable {
  package let facts: Facts

  /// - Returns: nil unless `session` has completed its handshake, which it cannot without a verified chain.
  package init?(_ peer: UnverifiedPeer, session: TLSSession) {
    guard session.isEstablished else { return nil }
    var facts = peer.facts
    facts.merge(session.facts)
    self.facts = facts
  }
}

/// The right to reach the upstream once: an enforced `allow` that the audit log has cleared: it has accepted the
/// record, or waived it as the configuration allows.
///
/// A relay cannot be built without one, and there is no other way to make one than from both proofs.
package struct Permit: ~Copyable {
  package let decision: Decision

  /// - Returns: nil unless the decision allows.
  package init?(_ decision: Decision, cleared: AuditClearance) {
    guard decision.verdict == .allow else { return nil }
    self.decision = decision
  }
}
