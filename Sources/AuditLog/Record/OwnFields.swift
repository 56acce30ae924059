import AccessPolicy

extension JSONWriter {
  /// The members of `countersign`, for what ECS has no name.
  mutating func own(of event: AuditEvent, _ connection: ConnectionView?) {
    if let connection { own(of: connection) }
    switch event {
    case .decision: break
    case .handshakeFailed(let event):
      object("failure") {
        $0.integer("depth", event.depth)
        $0.text("subject", event.subject)
      }
    case .connectionClosed: break
    case .connectionRevoked(let event):
      text("change", event.change)
      if let decision = event.judgedAgain {
        object("judged_again") {
          $0.text("verdict", decision.verdict.rawValue)
          $0.text("reason", decision.reason.rawValue)
          $0.text("rule", decision.rule)
          $0.text("caller", decision.caller?.name)
        }
      }
    case .upstreamFailed: break
    case .limitReached(let event):
      object("limit") {
        $0.text("name", event.limit)
        $0.integer("value", event.value)
        $0.text("scope", event.scope.rawValue)
        $0.integer("count", event.count)
      }
    case .configurationLoaded(let event): configuration(event)
    case .configurationRejected(let event):
      object("configuration") { $0.files(event.files) }
      findings(event.findings)
    case .gatewayStarted(let event): gateway(event)
    case .gatewayStopping(let event):
      object("gateway") {
        $0.text("cause", event.cause)
        $0.integer("connections", event.connections)
      }
    case .auditGap(let event):
      object("gap") {
        $0.integer("lost", event.lost)
        $0.integer("unlogged", event.unlogged)
        $0.flag("torn_line", event.tornLine)
      }
    }
  }

  private mutating func own(of connection: ConnectionView) {
    let context = connection.context
    if let decision = connection.decision { judgement(decision, connection.depth) }
    object("connection") { $0.text("id", context.id) }
    // The name in the facts is what rules asked for; a connection that failed early has only the context's.
    fact("listener", context.facts[.listener] ?? .text(context.listener))
    fact("upstream", context.facts[.upstream] ?? .text(context.upstream))
    if connection.isUnlogged { flag("unlogged", true) }
    if let ending = connection.ending {
      text("closed_by", ending.party.rawValue)
      flag("truncated", ending.truncated)
    }
    object("postgres") {
      $0.facts(FactLayout.postgres, context.facts)
      $0.text("cancels", connection.cancels)
    }
    object("mysql") { $0.facts(FactLayout.mysql, context.facts) }
    guard connection.depth == .every else { return }
    object("facts") {
      $0.facts(FactLayout.rest, context.facts)
      $0.emptyAlternativeNames(context.facts)
    }
    objects("unreadable", context.facts.unreadableNames) {
      $0.text("place", $1.place)
      $0.text("problem", $1.problem)
    }
  }

  private mutating func judgement(_ decision: Decision, _ depth: ConnectionView.Depth) {
    text("verdict", decision.verdict.rawValue)
    guard depth == .every else { return }
    texts("matched", decision.matched)
    object("shadow") {
      $0.text("verdict", decision.shadow.verdict.rawValue)
      $0.text("reason", decision.shadow.reason.rawValue)
      $0.text("rule", decision.shadow.rule)
    }
    text("detail", decision.detail)
    if let captures = decision.caller?.captures { self.captures(captures) }
  }

  private mutating func configuration(_ event: AuditEvent.ConfigurationLoaded) {
    object("configuration") {
      $0.text("version", event.version)
      $0.integer("listeners", event.listeners)
      $0.integer("callers", event.callers)
      $0.integer("rules", event.rules)
      $0.files(event.files)
    }
    findings(event.warnings)
  }

  private mutating func gateway(_ event: AuditEvent.GatewayStarted) {
    object("gateway") {
      $0.integer("workers", event.workers)
      $0.objects("listeners", event.listeners) {
        $0.text("name", $1.name)
        $0.text("address", $1.address)
      }
    }
  }

  private mutating func files(_ files: [AuditEvent.FileHash]) {
    objects("files", files) {
      $0.text("path", $1.path)
      $0.text("sha256", $1.sha256)
    }
  }

  private mutating func findings(_ findings: [Diagnostic]) {
    objects("findings", findings) {
      $0.text("severity", $1.severity.rawValue)
      $0.text("file", $1.location.file)
      $0.integer("line", $1.location.line)
      $0.integer("column", $1.location.column)
      $0.text("code", $1.code)
      $0.text("message", $1.message)
      $0.text("hint", $1.hint)
    }
  }
}
