package import AccessPolicy
package import GatewayConfiguration

/// What a client is told, in its own protocol, before it is sent away.
package enum Farewell: Equatable, Sendable {
  /// It must ask for TLS first.
  case tlsRequired
  case protocolViolation
  /// The policy says no. The text names the caller and never a rule.
  case denied(caller: String?, wish: String?)
  /// It was in, and may not go on.
  case revoked(RevocationReason)
  /// Its certificate has ceased to do since the handshake.
  case notAccepted
  case tooManyConnections
  case shuttingDown
  /// The connection could not be recorded, so there is none.
  case unrecorded
  case upstreamUnreachable
  case `internal`

  /// One sentence for the person at the client.
  package var text: String {
    switch self {
    case .tlsRequired: "this server accepts connections with TLS and a client certificate only"
    case .protocolViolation: "the first message of the connection cannot be read"
    case .denied(let caller?, let wish?): "access of the caller \"\(caller)\" \(wish) is denied"
    case .denied(let caller?, nil): "access of the caller \"\(caller)\" is denied"
    case .denied(nil, _): "access is denied: the client certificate is not mapped to one caller"
    case .revoked(.policyChanged): "access was withdrawn: the policy has changed"
    case .revoked(.trustChanged), .notAccepted:
      "access was withdrawn: the client certificate is not accepted any more"
    case .revoked(.crlChanged): "access was withdrawn: the client certificate is revoked"
    case .revoked(.certificateExpired): "access was withdrawn: the client certificate has expired"
    case .revoked(.ruleExpired): "access was withdrawn: the time for which it was granted is over"
    case .revoked(.crlStale): "access was withdrawn: the certificate revocation list is out of date"
    case .tooManyConnections: "there are too many connections"
    case .shuttingDown: "the gateway is shutting down"
    case .unrecorded: "the connection cannot be recorded now; try again later"
    case .upstreamUnreachable: "the server behind the gateway cannot be reached"
    case .internal: "an error within the gateway ended the connection"
    }
  }

  /// As the protocol says it; nil where it has no word of its own.
  /// - Parameter sequence: of the packet, in MySQL.
  package func message(_ wireProtocol: WireProtocol, sequence: UInt8) -> [UInt8]? {
    switch wireProtocol {
    case .tcp: nil
    case .postgres: PostgresAnswer.fatal(postgresState, text)
    case .mysql: MySQLError(mysqlKind, text).packet(sequence: sequence, isFirst: sequence == 0)
    }
  }

  private var mysqlKind: MySQLError.Kind {
    switch self {
    case .tlsRequired: .noTLS
    case .protocolViolation: .malformed
    case .denied, .revoked, .notAccepted: .denied
    case .tooManyConnections: .limit
    case .shuttingDown: .draining
    case .unrecorded, .upstreamUnreachable, .internal: .unreachable
    }
  }

  private var postgresState: PostgresAnswer.State {
    switch self {
    case .tlsRequired, .denied, .revoked, .notAccepted: .invalidAuthorization
    case .protocolViolation: .protocolViolation
    case .tooManyConnections: .tooManyConnections
    case .shuttingDown: .adminShutdown
    case .unrecorded: .cannotConnectNow
    case .upstreamUnreachable: .connectionFailure
    case .internal: .internalError
    }
  }
}
