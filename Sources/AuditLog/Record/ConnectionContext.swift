package import AccessPolicy

/// What every record about one connection says of it.
package struct ConnectionContext: Hashable, Sendable {
  /// `countersign.connection.id`: the same in all records of the connection.
  package var id: String
  /// When the connection was accepted, by the wall clock.
  package var start: Timestamp
  /// The listener's name.
  package var listener: String
  /// The upstream's name.
  package var upstream: String
  /// What is known so far; after a failed handshake the certificate as far as it was received.
  package var facts: Facts
  /// The gateway's own address on this connection; nil on a Unix listener.
  package var serverIP: IPAddress?
  package var serverPort: Int?

  package init(
    id: String, start: Timestamp, listener: String, upstream: String, facts: Facts,
    serverIP: IPAddress? = nil, serverPort: Int? = nil
  ) {
    self.id = id
    self.start = start
    self.listener = listener
    self.upstream = upstream
    self.facts = facts
    self.serverIP = serverIP
    self.serverPort = serverPort
  }
}

/// Where an allowed connection goes: the upstream as it is configured, and the address that was dialled.
package struct AuditDestination: Hashable, Sendable {
  /// `destination.address`: the configured text, such as `db.internal:5432` or `unix:/run/db.sock`.
  package var address: String
  /// The address behind it, where one is known; nil before a name is resolved and for Unix sockets.
  package var ip: IPAddress?
  package var port: Int?

  package init(address: String, ip: IPAddress? = nil, port: Int? = nil) {
    self.address = address
    self.ip = ip
    self.port = port
  }
}

/// A connection with the judgement that let it in or kept it out.
package struct JudgedConnection: Hashable, Sendable {
  package var context: ConnectionContext
  package var decision: Decision
  package var destination: AuditDestination
  /// `rule.version`: the hash that names the set of policies which judged.
  package var policyVersion: String?
  /// The connection was let in before the log had the record of its decision; the log may not hold it.
  package var isUnlogged: Bool
  /// `countersign.postgres.cancels`: of a CancelRequest, the connection whose query it ends, or `nothing`. It was
  /// let in or kept out by whose that connection is, not by rules.
  package var cancels: String?

  package init(
    context: ConnectionContext, decision: Decision, destination: AuditDestination,
    policyVersion: String? = nil, isUnlogged: Bool = false, cancels: String? = nil
  ) {
    self.context = context
    self.decision = decision
    self.destination = destination
    self.policyVersion = policyVersion
    self.isUnlogged = isUnlogged
    self.cancels = cancels
  }
}
