import AccessPolicy
import AuditLog
import EventLoop
import GatewayConfiguration
import TLSEngine

extension Connection {
  func judge(_ worker: Worker) {
    guard !listener.isRetired else { return refuseRetired(worker) }
    // The configuration may have changed since the client came.
    terms = listener.snapshot
    machine.adopt(terms.timeouts, prepares: terms.course(for: peer.address).prepares)
    judgedAt = worker.wallClock
    if let failure = renewTrust(worker) {
      self.failure = failure
      farewell = .notAccepted
      return handle(.handshakeFailed(failure.reason), worker)
    }
    if case .cancel(let key)? = purpose { return judgeCancel(key, worker) }
    guard let session, let verified = VerifiedPeer(peer, session: session, claims: purpose?.facts ?? Facts())
    else { return handle(.judged(.deny), worker) }
    settle(worker.decide(verified.facts, at: judgedAt), of: verified, worker)
  }

  /// Rules that speak of the listener's name speak of another one now, which may lead elsewhere, and this one leads
  /// where nobody has said who may go.
  private func refuseRetired(_ worker: Worker) {
    failure = HandshakeFailure(
      reason: .timeout, code: nil,
      message: "the listener was taken away or changed before the connection was judged")
    farewell = .shuttingDown
    handle(.handshakeFailed(.timeout), worker)
  }

  private func settle(_ decision: Decision, of verified: VerifiedPeer?, _ worker: Worker) {
    self.verified = verified
    self.decision = decision
    policyVersion = worker.snapshot.version
    scheduleReview(worker)
    if decision.verdict == .allow, !isCancel { exceeded = enterCaller(of: decision, worker) }
    handle(exceeded == nil ? .judged(decision.verdict) : .overLimit, worker)
  }

  /// A CancelRequest is no connection of its caller's: one at the limit can still end its queries.
  private var isCancel: Bool {
    if case .cancel? = purpose { true } else { false }
  }

  /// A cancel is no new access: it may end a query of a connection that lives, and of the same caller. The client
  /// proves which by the pair that the server gave that connection; in plaintext, as psql up to 16 sends it, the
  /// pair is the whole proof, as it is for the server itself.
  private func judgeCancel(_ key: PostgresCancelKey, _ worker: Worker) {
    let verified = session.flatMap { VerifiedPeer(peer, session: $0) }
    var decision = Decision(verdict: .deny, reason: .default)
    if let verified {
      // Rules may need what only a startup message tells; who the caller is needs the certificate alone.
      let judged = worker.decide(verified.facts, at: worker.wallClock)
      guard judged.caller != nil else {
        cancels = Self.nothing
        return settle(judged, of: verified, worker)
      }
      decision.caller = judged.caller
    } else if session != nil {
      return handle(.judged(.deny), worker)
    }
    let match = worker.environment.postgresSessions.find(
      key, listener: terms.name, caller: decision.caller?.name,
      source: peer.clientAddress.ip,
      now: worker.now)
    cancels = Self.nothing
    switch match {
    case .session(let session):
      cancels = session.connectionID
      decision = session.decision
      decision.detail = "cancels a query of the connection \(session.connectionID)"
      cancelled = session
    case .unknown: decision.detail = "the key of the CancelRequest is no live connection's of this caller"
    case .ambiguous: decision.detail = "the key of the CancelRequest is that of several connections"
    case .limited: decision.detail = "too many CancelRequests of this source had keys that nobody knows"
    }
    settle(decision, of: verified, worker)
  }

  /// Stands in the record of a CancelRequest that reaches no connection.
  private static let nothing = "nothing"

  func recordVerdict(_ worker: Worker) {
    guard let judged else { return handle(.recordRefused, worker) }
    worker.record(.decision(judged), answering: token)
  }

  func recordDenial(_ worker: Worker) {
    if let judged { worker.record(.decision(judged)) }
    farewell = .denied(caller: decision?.caller?.name, wish: purpose?.wish)
    sayFarewell(worker)
  }

  /// The log cannot take the record of an allowed connection, so there is no connection.
  func refuseUnrecorded(_ worker: Worker) {
    if let judged {
      worker.record(
        .upstreamFailed(
          .init(
            connection: judged, reason: .auditUnavailable,
            message: "the audit log could not take the record of this connection, so it was refused",
            duration: worker.now - started)))
    }
    farewell = .unrecorded
    sayFarewell(worker)
  }
}
