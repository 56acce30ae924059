import AccessPolicy
import AuditLog
import EventLoop
import GatewayConfiguration

extension Connection {
  /// The audit log has answered: turns decision and clearance into a permit, and dials with it.
  func dialUpstream(_ worker: Worker) {
    guard let decision, let clearance, let permit = Permit(decision, cleared: clearance) else {
      return handle(.upstreamFailed(.internal), worker)
    }
    relay = Relay(permit)
    dial = candidates(worker)
    dialNext(worker)
  }

  /// A verdict about the same connection as somebody else, which the log has.
  /// - Returns: false where the decision is none that allows.
  func renewPermit(_ decision: Decision, _ clearance: AuditClearance) -> Bool {
    guard let permit = Permit(decision, cleared: clearance) else { return false }
    relay?.renew(permit)
    return true
  }

  private func candidates(_ worker: Worker) -> UpstreamDial {
    // A cancel goes where the query runs.
    if let cancelled {
      return UpstreamDial([listener.pool.candidate(cancelled.target)])
    }
    let upstream = terms.upstream
    switch worker.addresses.candidates(for: upstream.addresses) {
    case .addresses(let targets):
      return UpstreamDial(listener.pool.candidates(targets, upstream.balance, at: worker.now))
    case .failed(let problem): return UpstreamDial(problem: problem)
    }
  }

  /// Dials the next address, beside those that have not answered yet (RFC 8305).
  func dialNext(_ worker: Worker) {
    while let candidate = dial?.next() {
      do {
        dial?.begin(try attempt(candidate, worker))
        return handle(.dialled(hasNext: dial?.hasNext ?? false), worker)
      } catch {
        note(error, at: candidate, worker)
      }
    }
    // The last one has failed; those before it may still answer.
    if let dial, !dial.attempts.isEmpty { return handle(.dialled(hasNext: false), worker) }
    handle(.upstreamFailed(dial?.lastReason ?? .upstreamUnreachable), worker)
  }

  private func attempt(_ candidate: UpstreamCandidate, _ worker: Worker) throws(SystemError) -> DialAttempt {
    let socket = try connect(to: candidate.target.address, worker)
    let number = socket.number
    do {
      try worker.poller.add(number, token: PollTag.attempt(token).raw, mode: .edge)
    } catch {
      socket.close()
      throw error
    }
    candidate.endpoint.enter()
    return DialAttempt(candidate: candidate, side: Side(socket), started: worker.now)
  }

  /// Out of descriptors, whoever may never say a word makes room for who is known.
  private func connect(
    to address: NetworkAddress, _ worker: Worker
  ) throws(SystemError) -> StreamSocket {
    do {
      return try StreamSocket.connect(to: address)
    } catch {
      guard error.isExhaustion, worker.evictOldest(of: nil, for: worker.exhaustion(error)) else {
        throw error
      }
      return try StreamSocket.connect(to: address)
    }
  }

  /// The kernel has news of one of the sockets that are being connected.
  func attemptEvent(_ worker: Worker) {
    guard machine.state == .connecting, let attempts = dial?.attempts else { return }
    var hasFailed = false
    for attempt in attempts {
      if let error = attempt.side.socket.connectError() {
        drop(attempt, worker.poller)
        note(error, at: attempt.candidate, worker)
        hasFailed = true
      } else if attempt.side.socket.isConnected {
        return take(attempt, worker)
      }
    }
    if hasFailed { dialNext(worker) }
  }

  /// The first that is connected is the upstream; the others are hung up on.
  private func take(_ attempt: DialAttempt, _ worker: Worker) {
    for other in dial?.won(attempt) ?? [] {
      close(other, worker.poller)
      let age = worker.now - other.started
      // One that was given its time and was outrun would cost every further connection as much.
      if age >= machine.timeouts.attempt {
        listener.pool.failed(
          other.candidate.endpoint, .connect, "it did not answer within \(age.milliseconds) ms, another did",
          at: worker.now)
      }
    }
    upstream = attempt.side
    endpoint = attempt.candidate.endpoint
    do {
      guard let number = attempt.side.socket.number else { return handle(.upstreamFailed(.internal), worker) }
      try worker.poller.change(number, token: PollTag.upstream(token).raw, mode: .edge)
    } catch {
      hangUpUpstream(worker)
      note(error, at: attempt.candidate, worker)
      return dialNext(worker)
    }
    // The poller tells all of it again; what can be sent at once need not wait for that.
    attempt.side.socket.isWritable = true
    machine.hasSpareAddress = dial?.hasNext ?? false
    handle(.upstreamConnected, worker)
  }

  private func note(_ error: SystemError, at candidate: UpstreamCandidate, _ worker: Worker) {
    dial?.failed(candidate.target, error)
    // Want of descriptors, memory or local ports says nothing of the address.
    guard error.call == "connect", error.name != "EADDRNOTAVAIL" else { return }
    listener.pool.failed(candidate.endpoint, .connect, "\(error)", at: worker.now)
    resolveAgain(worker)
  }

  /// What a name stands for may have changed.
  func resolveAgain(_ worker: Worker) {
    for name in terms.upstream.resolvedNames { worker.environment.resolveAgain(name) }
  }

  /// `connect_timeout` is over: whoever was being asked has not answered.
  func noteTimeouts(_ worker: Worker) {
    for attempt in dial?.attempts ?? [] {
      dial?.timedOut(attempt.candidate.target, "connect: no answer")
      listener.pool.failed(
        attempt.candidate.endpoint, .connect, "connect: no answer within connect_timeout", at: worker.now)
    }
    // A client that does not go on with its authentication says nothing of the upstream.
    if case .authenticating? = preparation { return }
    if let endpoint {
      dial?.failed(message: "connected, but TLS did not come about", code: nil, reason: .upstreamTimeout)
      listener.pool.failed(
        endpoint, .preparation, "TLS did not come about within connect_timeout", at: worker.now)
    }
    resolveAgain(worker)
  }

  /// The upstream has answered with everything that comes before the client's bytes.
  func noteUpstreamServes() {
    if let endpoint { listener.pool.succeeded(endpoint) }
    dial?.settle()
  }

  // MARK: Hanging up

  func hangUpUpstream(_ worker: Worker) {
    closeUpstream(reset: false, worker.poller)
    upstream = nil
  }

  /// Closes the upstream's socket and those that were to become it; nothing counts at their addresses any more.
  func closeUpstream(reset: Bool, _ poller: Poller) {
    upstream?.close(reset: reset, poller)
    for attempt in dial?.endAll() ?? [] { close(attempt, poller) }
    endpoint.take()?.leave()
  }

  private func drop(_ attempt: DialAttempt, _ poller: Poller) {
    dial?.end(attempt)
    close(attempt, poller)
  }

  private func close(_ attempt: DialAttempt, _ poller: Poller) {
    attempt.side.close(reset: false, poller)
    attempt.candidate.endpoint.leave()
  }
}

extension Duration {
  fileprivate var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }
}
