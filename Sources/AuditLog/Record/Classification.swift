import AccessPolicy

/// How the Elastic Common Schema sorts an action. Each type is one of those that ECS expects with the
/// category (ecs: "Event category fields", expected event types).
struct Classification {
  var code: String
  var category: String
  var types: [String]
  /// `event.outcome` is success, unless an event says otherwise.
  var succeeds: Bool
}

extension AuditAction {
  var classification: Classification {
    switch self {
    case .connectionAllowed: .init("CS100I", "network", ["connection", "start", "allowed"], succeeds: true)
    case .connectionDenied: .init("CS101W", "network", ["connection", "denied"], succeeds: false)
    case .handshakeFailed: .init("CS102W", "network", ["connection", "denied"], succeeds: false)
    case .connectionClosed: .init("CS103I", "network", ["connection", "end"], succeeds: true)
    case .connectionRevoked: .init("CS104W", "network", ["connection", "end", "denied"], succeeds: false)
    case .upstreamFailed: .init("CS105E", "network", ["connection", "end"], succeeds: false)
    case .limitReached: .init("CS106W", "network", ["connection", "denied"], succeeds: false)
    case .configurationLoaded: .init("CS200I", "configuration", ["change"], succeeds: true)
    case .configurationRejected: .init("CS201E", "configuration", ["info"], succeeds: false)
    case .gatewayStarted: .init("CS210I", "process", ["start"], succeeds: true)
    case .gatewayStopping: .init("CS211I", "process", ["end"], succeeds: true)
    case .auditGap: .init("CS212E", "process", ["info"], succeeds: false)
    }
  }
}

extension Classification {
  fileprivate init(_ code: String, _ category: String, _ types: [String], succeeds: Bool) {
    self.init(code: code, category: category, types: types, succeeds: succeeds)
  }
}

extension AuditEvent {
  /// `event.reason`; nil where the contract's closed set has none for the action.
  var reason: String? {
    switch self {
    case .decision(let connection): connection.decision.reason.rawValue
    case .handshakeFailed(let event): event.reason.rawValue
    case .connectionClosed(let event): event.reason.rawValue
    case .connectionRevoked(let event): event.reason.rawValue
    case .upstreamFailed(let event): event.reason.rawValue
    case .limitReached: "limit"
    case .configurationLoaded, .configurationRejected, .gatewayStarted, .gatewayStopping, .auditGap: nil
    }
  }

  var succeeds: Bool {
    // A connection that an invariant of ours ended did not end well, whoever closed it.
    if case .connectionClosed(let event) = self, event.reason == .internal { return false }
    return action.classification.succeeds
  }
}
