import AccessPolicy
import AuditLog
import EventLoop

/// COM_CHANGE_USER must not escape the verdict: it is judged like a new connection, recorded, and only then does
/// the upstream hear of it.
extension Connection {
  /// Sends on what a MySQL client says, as far as it is no change of the user. Looks at the heads of packets alone;
  /// bytes are copied only where a head is cut.
  /// - Returns: whether more may be read.
  func passCommands(_ bytes: UnsafeRawBufferPointer, to destination: Side, _ worker: Worker) -> Bool {
    if mysql?.fromClient.isEmpty == true {
      return unsafe passCommands(Span<UInt8>(_unsafeBytes: bytes), of: bytes, to: destination, worker)
    }
    unsafe mysql?.fromClient.append(contentsOf: bytes)
    if mysql?.change != nil { return collectChange(worker) }
    let kept = mysql?.fromClient ?? []
    mysql?.fromClient = []
    return unsafe kept.withUnsafeBytes { kept in
      unsafe passCommands(Span<UInt8>(_unsafeBytes: kept), of: kept, to: destination, worker)
    }
  }

  private func passCommands(
    _ span: Span<UInt8>, of bytes: UnsafeRawBufferPointer, to destination: Side, _ worker: Worker
  ) -> Bool {
    guard let step = mysql?.scan.scan(span) else { return false }
    if step.passable > 0 { mysql?.awaitsAnswer = true }
    guard unsafe destination.write(UnsafeRawBufferPointer(rebasing: bytes[..<step.passable]), worker) else {
      peerBroken(.toClient, worker)
      return false
    }
    unsafe mysql?.fromClient.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[step.passable...]))
    return stop(at: step.command, worker)
  }

  private func stop(at command: MySQLCommandScan.Command?, _ worker: Worker) -> Bool {
    switch command {
    case .changeUser?:
      mysql?.beginChange()
      return collectChange(worker)
    // Several commands in one, of which one could be a change of the user; the greeting has not offered it.
    case .multi?:
      mysql?.beginChange()
      return denyChange("COM_MULTI is not allowed", worker)
    case nil: return true
    }
  }

  private func collectChange(_ worker: Worker) -> Bool {
    guard case .collecting? = mysql?.change, let carry = mysql else { return false }
    switch MySQLChangeUser.parse(carry.fromClient.span, client: carry.clientCapabilities) {
    case .incomplete: return true
    case .invalid(let problem): return denyChange("COM_CHANGE_USER is refused: \(problem)", worker)
    case .complete(let change, let length):
      mysql?.fromClient.removeFirst(length)
      judge(change, worker)
      return false
    }
  }

  private func judge(_ change: MySQLChangeUser, _ worker: Worker) {
    guard !listener.isRetired else {
      _ = denyChange(
        "COM_CHANGE_USER is refused: the listener was taken away or changed, and its connections are to end",
        farewell: .shuttingDown, worker)
      return
    }
    let longest = mysql?.handshake.longestUser ?? 0
    guard change.names.user.unicodeScalars.count <= longest else {
      _ = denyChange(
        "COM_CHANGE_USER is refused: the user name is over the \(longest) characters that the upstream reads",
        wish: change.names.wish, worker)
      return
    }
    guard let session, let verified = VerifiedPeer(peer, session: session, claims: change.names.facts) else {
      _ = denyChange("COM_CHANGE_USER is refused: the session is not verified", worker)
      return
    }
    let decision = worker.decide(verified.facts, at: worker.wallClock)
    let judgement = Judgement(
      decision: decision, verified: verified, policyVersion: worker.snapshot.version)
    guard decision.verdict == .allow else {
      worker.record(.decision(judged(judgement)))
      changeDenial = decision
      _ = denyChange(
        "COM_CHANGE_USER \(change.names.wish) is not allowed", wish: change.names.wish, worker)
      return
    }
    if let exceeded = enterCaller(of: decision, worker) {
      recordLimit(exceeded, caller: decision.caller, context(of: judgement), worker)
      _ = denyChange(
        "COM_CHANGE_USER \(change.names.wish) is refused: the caller has \(exceeded.value) connections",
        farewell: .tooManyConnections, worker)
      return
    }
    mysql?.change = .recording(change, judgement)
    worker.record(.decision(judged(judgement)), answering: token)
  }

  private func judged(_ judgement: Judgement) -> JudgedConnection {
    JudgedConnection(
      context: context(of: judgement), decision: judgement.decision, destination: destination,
      policyVersion: judgement.policyVersion)
  }

  private func context(of judgement: Judgement) -> ConnectionContext {
    listener.context(of: judgement.verified.facts, id: id, start: startedAt)
  }

  /// The audit writer's answer to the record of an allowed change.
  func userChangeRecorded(_ answer: Result<AuditClearance, AuditUnavailable>, _ worker: Worker) {
    guard let carry = mysql, case .recording(let change, var judgement)? = carry.change else { return }
    mysql?.change = nil
    guard case .success(let clearance) = answer, let decision, let verified else {
      return handle(.recordRefused, worker)
    }
    let before = Judgement(
      decision: decision, verified: verified, policyVersion: policyVersion, clearance: self.clearance)
    judgement.clearance = clearance
    guard adopt(judgement) else { return handle(.recordRefused, worker) }
    mysql?.before = before
    mysql?.scan = MySQLCommandScan()
    preparation = .authenticating
    writeToUpstream(change.packet(upstream: carry.handshake.capabilities), worker)
    handle(.userChanged, worker)
  }

  /// Puts the connection under another verdict.
  /// - Returns: false where that is none that allows and is recorded.
  func adopt(_ judgement: Judgement) -> Bool {
    guard let clearance = judgement.clearance, renewPermit(judgement.decision, clearance) else {
      return false
    }
    decision = judgement.decision
    verified = judgement.verified
    policyVersion = judgement.policyVersion
    self.clearance = clearance
    return true
  }

  /// - Returns: false: nothing more is taken from this client.
  private func denyChange(
    _ problem: String, wish: String? = nil, farewell: Farewell? = nil, _ worker: Worker
  ) -> Bool {
    changeProblem = problem
    self.farewell = farewell ?? .denied(caller: decision?.caller?.name, wish: wish)
    handle(.userChangeDenied, worker)
    return false
  }

  func recordUserChangeDenied(_ worker: Worker) {
    if let judged {
      worker.record(
        .connectionRevoked(
          .init(
            connection: judged, reason: .policyChanged, change: changeProblem ?? "",
            judgedAgain: changeDenial,
            ending: ending(by: .gateway, worker))))
    }
    sayFarewell(worker)
  }
}
