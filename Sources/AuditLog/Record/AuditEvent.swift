import AccessPolicy

/// Something that the audit log records: one case for each `event.action`, save that the verdict itself
/// tells `connection-allowed` from `connection-denied`, so that action and verdict cannot contradict.
package enum AuditEvent: Hashable, Sendable {
  /// `connection-allowed` or `connection-denied`, by the decision's verdict.
  case decision(JudgedConnection)
  case handshakeFailed(HandshakeFailed)
  case connectionClosed(ConnectionClosed)
  case connectionRevoked(ConnectionRevoked)
  case upstreamFailed(UpstreamFailed)
  case limitReached(LimitReached)
  case configurationLoaded(ConfigurationLoaded)
  case configurationRejected(ConfigurationRejected)
  case gatewayStarted(GatewayStarted)
  case gatewayStopping(GatewayStopping)
  case auditGap(AuditGap)
}

/// The closed set of `event.action`.
package enum AuditAction: String, Sendable, CaseIterable {
  case connectionAllowed = "connection-allowed"
  case connectionDenied = "connection-denied"
  case handshakeFailed = "handshake-failed"
  case connectionClosed = "connection-closed"
  case connectionRevoked = "connection-revoked"
  case upstreamFailed = "upstream-failed"
  case limitReached = "limit-reached"
  case configurationLoaded = "configuration-loaded"
  case configurationRejected = "configuration-rejected"
  case gatewayStarted = "gateway-started"
  case gatewayStopping = "gateway-stopping"
  case auditGap = "audit-gap"
}

extension AuditEvent {
  package var action: AuditAction {
    switch self {
    case .decision(let connection):
      connection.decision.verdict == .allow ? .connectionAllowed : .connectionDenied
    case .handshakeFailed: .handshakeFailed
    case .connectionClosed: .connectionClosed
    case .connectionRevoked: .connectionRevoked
    case .upstreamFailed: .upstreamFailed
    case .limitReached: .limitReached
    case .configurationLoaded: .configurationLoaded
    case .configurationRejected: .configurationRejected
    case .gatewayStarted: .gatewayStarted
    case .gatewayStopping: .gatewayStopping
    case .auditGap: .auditGap
    }
  }
}
