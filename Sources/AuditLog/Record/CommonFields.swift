import AccessPolicy

/// The connection of an event, as far as the event knows it.
struct ConnectionView {
  /// Whether the record holds every fact, or those that people look for; the rest stands in the record of
  /// the decision, under the same `countersign.connection.id`.
  enum Depth { case every, brief }

  var context: ConnectionContext
  var depth: Depth
  var caller: Caller?
  var decision: Decision?
  var destination: AuditDestination?
  var policyVersion: String?
  var isUnlogged = false
  var cancels: String?
  var ending: AuditEvent.Ending?
  /// `tls.established`.
  var established: Bool?

  init(_ connection: JudgedConnection, depth: Depth, ending: AuditEvent.Ending? = nil) {
    self.context = connection.context
    self.depth = depth
    self.caller = connection.decision.caller
    self.decision = connection.decision
    self.destination = connection.destination
    self.policyVersion = connection.policyVersion
    self.isUnlogged = connection.isUnlogged
    self.cancels = connection.cancels
    self.ending = ending
    self.established = true
  }

  init(_ context: ConnectionContext, depth: Depth, caller: Caller? = nil, established: Bool? = nil) {
    self.context = context
    self.depth = depth
    self.caller = caller
    self.established = established
  }
}

extension AuditEvent {
  var connection: ConnectionView? {
    switch self {
    case .decision(let connection): ConnectionView(connection, depth: .every)
    case .handshakeFailed(let event): ConnectionView(event.context, depth: .every, established: false)
    case .connectionClosed(let event):
      ConnectionView(event.connection, depth: .brief, ending: event.ending)
    case .connectionRevoked(let event):
      ConnectionView(event.connection, depth: .brief, ending: event.ending)
    case .upstreamFailed(let event): ConnectionView(event.connection, depth: .brief)
    case .limitReached(let event): ConnectionView(event.context, depth: .brief, caller: event.caller)
    case .configurationLoaded, .configurationRejected, .gatewayStarted, .gatewayStopping, .auditGap: nil
    }
  }
}

extension JSONWriter {
  /// The members that ECS names, save `event` and `observer`.
  mutating func common(of event: AuditEvent, _ connection: ConnectionView?) {
    if let connection {
      parties(connection)
      tls(connection)
    }
    object("error") { $0.error(of: event) }
  }

  /// ECS's `long` has a sign: more than it holds would not be indexed.
  private mutating func count(_ name: String, _ value: UInt64?) {
    integer(name, value.map { Int64(clamping: $0) })
  }

  private mutating func parties(_ connection: ConnectionView) {
    let facts = connection.context.facts
    object("user") {
      $0.text("name", connection.caller?.name)
      if let groups = connection.caller?.groups { $0.texts("roles", groups) }
    }
    object("rule") {
      $0.text("name", connection.decision?.rule)
      $0.text("ruleset", connection.decision?.ruleset)
      $0.text("version", connection.policyVersion)
    }
    object("source") {
      $0.facts(FactLayout.source, facts)
      $0.count("bytes", connection.ending?.bytesFromClient)
    }
    object("client") { $0.facts(FactLayout.client, facts) }
    object("server") {
      $0.text("ip", connection.context.serverIP?.text)
      $0.integer("port", connection.context.serverPort)
    }
    object("destination") {
      $0.text("address", connection.destination?.address)
      $0.text("ip", connection.destination?.ip?.text)
      $0.integer("port", connection.destination?.port)
      $0.count("bytes", connection.ending?.bytesFromUpstream)
    }
    object("network") {
      // A Unix listener's peer has no address, and ECS no name for that transport.
      if facts[.sourceIP] != nil { $0.text("transport", "tcp") }
      if case .text(let name) = facts[.protocol], name != "tcp" { $0.text("protocol", name) }
    }
  }

  private mutating func tls(_ connection: ConnectionView) {
    let facts = connection.context.facts
    object("tls") {
      $0.flag("established", connection.established)
      if facts[.tlsVersion] != nil { $0.text("version_protocol", "tls") }
      $0.facts(FactLayout.tls, facts)
      $0.object("client") {
        $0.facts(FactLayout.tlsClient, facts)
        $0.object("hash") { $0.facts(FactLayout.hash, facts) }
        if connection.depth == .every {
          if let value = facts[.notBefore] { $0.fact("not_before", value) }
          if let value = facts[.notAfter] { $0.fact("not_after", value) }
        }
        $0.object("x509") { $0.certificate(facts, connection.depth) }
      }
    }
  }

  private mutating func certificate(_ facts: Facts, _ depth: ConnectionView.Depth) {
    switch depth {
    case .brief:
      if let serial = facts[.serial] { fact("serial_number", serial) }
      object("subject") { if let name = facts[.subjectDN] { $0.fact("distinguished_name", name) } }
    case .every:
      object("subject") { $0.facts(FactLayout.subject, facts) }
      object("issuer") { $0.facts(FactLayout.issuer, facts) }
      alternativeNames(facts)
      self.facts(FactLayout.certificate, facts)
    }
  }

  private mutating func error(of event: AuditEvent) {
    switch event {
    case .handshakeFailed(let event):
      text("code", event.code)
      text("message", event.message)
    case .upstreamFailed(let event):
      text("code", event.code)
      text("message", event.message)
    case .auditGap(let event):
      text("code", event.code)
      text("message", event.cause)
    case .configurationRejected(let event):
      text("message", event.findings.first { $0.severity == .error }?.message)
    case .decision, .connectionClosed, .connectionRevoked, .limitReached, .configurationLoaded,
      .gatewayStarted, .gatewayStopping:
      break
    }
  }
}
