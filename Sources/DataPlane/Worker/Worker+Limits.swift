import AccessPolicy
import AuditLog
import EventLoop
import GatewayConfiguration

/// A client that met a limit, as a record speaks of it.
struct LimitedClient {
  var exceeded: ExceededLimit
  var listener: WorkerListener
  /// nil: nobody in particular.
  var peer: UnverifiedPeer?
}

extension Worker {
  // MARK: Rates

  /// Counts a new connection of a source.
  /// - Parameter source: nil for the peer of a Unix socket, which is not limited.
  /// - Returns: the limit that it meets.
  func exceededRate(of source: IPAddress?, _ listener: WorkerListener) -> ExceededLimit? {
    guard let source else { return nil }
    let common = snapshot.limits.connectionRatePerSource
    if let common, !environment.admission.sources.take(source, common, at: now) {
      return .rate(common)
    }
    guard let own = listener.snapshot.limits.connectionRatePerSource,
      !listener.admission.sources.take(source, own, at: now)
    else { return nil }
    if let common { environment.admission.sources.giveBack(source, common) }
    return .rate(own)
  }

  // MARK: Room

  /// Counts a connection in.
  /// - Returns: the limit that it meets.
  func exceededCount(_ listener: WorkerListener) -> ExceededLimit? {
    guard environment.admission.enter() else { return .connections(environment.admission, .gateway) }
    guard listener.admission.enter() else {
      environment.admission.leave()
      return .connections(listener.admission, .listener)
    }
    return nil
  }

  /// Whoever is known goes before whoever may never say a word: lets the oldest unauthenticated connection go.
  /// - Parameter listener: nil: of any.
  /// - Returns: false where this worker has none.
  func evictOldest(of listener: WorkerListener?, for exceeded: ExceededLimit) -> Bool {
    let isWaiting = isWaiting
    for listener in listener.map({ [$0] }) ?? listeners {
      guard let oldest = listener.unauthenticated.oldest(where: isWaiting),
        let connection = connections[oldest]
      else { continue }
      connection.exceeded = exceeded
      connection.handle(.evicted, self)
      return true
    }
    return false
  }

  /// A limit of the system's: descriptors or memory.
  func exhaustion(_ error: SystemError) -> ExceededLimit {
    ExceededLimit(name: error.name, value: connections.count, scope: .gateway)
  }

  /// Whether a token still stands for a connection whose client nobody knows.
  var isWaiting: (Token) -> Bool {
    // The worker, not its table: a copy of that, held while somebody is evicted, would have the table copied.
    { [unowned self] in connections[$0].map { $0.machine.isUnauthenticated } ?? false }
  }

  // MARK: Records

  /// Records that a client met a limit, or counts it where there is a flood of them.
  /// - Parameters:
  ///   - source: whom a limit of sources counts together.
  ///   - peer: asked for where it is needed: a client that is merely counted costs no more than that.
  func tell(
    _ exceeded: ExceededLimit, _ listener: WorkerListener, source: IPAddress?, peer: () -> UnverifiedPeer?
  ) {
    let source = exceeded.scope == .source ? source?.sourceKey : nil
    let isFirst = summaries.note(
      .init(limit: exceeded.name, listener: listener.snapshot.name, source: source), at: now
    ) {
      LimitedClient(exceeded: exceeded, listener: listener, peer: peer())
    }
    if isFirst { record(LimitedClient(exceeded: exceeded, listener: listener, peer: peer()), count: 1) }
    armSummaries()
  }

  /// Writes what was counted.
  /// - Parameter isLast: the worker ends.
  func tellSummaries(isLast: Bool = false) {
    for summary in summaries.due(at: isLast ? nil : now) {
      var client = summary.sample
      // Of many sources together none is named.
      if client.exceeded.scope == .source, summary.key.source == nil { client.peer = nil }
      record(client, count: summary.count)
    }
    armSummaries()
  }

  private func armSummaries() {
    if let next = summaries.arm() { timers.push(next, PollTag.limitSummaries.token) }
  }

  private func record(_ client: LimitedClient, count: Int) {
    let facts = client.peer?.facts ?? Facts()
    record(
      .limitReached(
        .init(
          limit: client.exceeded.name, value: client.exceeded.value, scope: client.exceeded.scope,
          context: client.listener.context(of: facts, id: RandomID.next(), start: wallClock), count: count)))
  }
}

extension ExceededLimit {
  static func rate(_ rate: ConnectionRate) -> Self {
    Self(name: "connection_rate_per_source", value: rate.count, scope: .source)
  }

  static func connections(_ admission: Admission, _ scope: AuditEvent.LimitReached.Scope) -> Self {
    Self(name: "max_connections", value: admission.limit, scope: scope)
  }
}
