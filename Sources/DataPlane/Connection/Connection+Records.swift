import AccessPolicy
import AuditLog
import EventLoop
import GatewayConfiguration
import TLSEngine

extension Connection {
  /// What all records of this connection have in common.
  func context(_ known: Facts?) -> ConnectionContext {
    var facts = verified?.facts ?? peer.facts
    if verified == nil, let known { facts.merge(known) }
    return listener.context(of: facts, id: id, start: startedAt)
  }

  /// The connection with its verdict; nil before there is one.
  var judged: JudgedConnection? {
    guard let decision else { return nil }
    return JudgedConnection(
      context: context(nil), decision: decision, destination: destination,
      policyVersion: policyVersion, isUnlogged: isUnlogged, cancels: cancels)
  }

  private var isUnlogged: Bool {
    if case .waived? = clearance { true } else { false }
  }

  var destination: AuditDestination {
    let target = dial?.current ?? terms.upstream.fixedAddress
    // Before the dial, every address that it may go to.
    return AuditDestination(
      address: dial?.currentText ?? terms.upstream.description, ip: target?.ip,
      port: target?.port.map(Int.init))
  }

  func ending(by party: AuditEvent.Ending.Party, _ worker: Worker) -> AuditEvent.Ending {
    AuditEvent.Ending(
      by: party, bytesFromClient: relay?.bytesFromClient ?? 0,
      bytesFromUpstream: relay?.bytesFromUpstream ?? 0,
      truncated: client.isTruncated || upstream?.isTruncated == true,
      duration: worker.now - started)
  }

  func recordClose(_ reason: CloseReason, reset: Bool, _ worker: Worker) {
    if let judged {
      worker.record(
        .connectionClosed(
          .init(connection: judged, reason: reason, ending: ending(by: reason.party, worker))))
    } else {
      worker.record(
        .handshakeFailed(
          .init(
            context: context(session?.facts), reason: .tlsProtocol,
            message: "an invariant of the gateway did not hold for this connection (\(reason.rawValue))")))
    }
    if reset {
      closeWithReset(worker)
    } else if reason == .drain, isBetweenMessages {
      sayFarewell(worker)
    } else {
      tellClientTheEnd(worker)
    }
  }

  func recordUpstreamFailure(_ reason: FailureReason, _ worker: Worker) {
    if reason == .upstreamTimeout { noteTimeouts(worker) }
    if let judged {
      let message =
        switch (reason, preparation) {
        case (.upstreamTimeout, .authenticating?):
          "client and upstream did not come to the end of the authentication within handshake_timeout"
        case (.upstreamTimeout, _):
          "the upstream did not answer within connect_timeout: \(dial?.problems ?? "no address to dial")"
        default: dial?.problems ?? "no address to dial"
        }
      worker.record(
        .upstreamFailed(
          .init(
            connection: judged, reason: reason,
            code: reason == .upstreamTimeout ? "ETIMEDOUT" : dial?.lastCode, message: message,
            duration: worker.now - started)))
    }
    resolveAgain(worker)
    farewell = reason == .internal ? .internal : .upstreamUnreachable
    sayFarewell(worker)
  }
}

extension CloseReason {
  /// Who ended the connection.
  var party: AuditEvent.Ending.Party {
    switch self {
    case .clientClosed, .clientReset: .client
    case .upstreamClosed, .upstreamReset: .upstream
    case .idleTimeout, .maxAge, .drain, .internal: .gateway
    }
  }
}
