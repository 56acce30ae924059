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
      mysql?.change = .collecting
      return collectChange(worker)
    // Several commands in one, of which one could be a change of the user; the greeting has not offered it.
    case .multi?: return denyChange("COM_MULTI", nil, nil, worker)
    case nil: return true
    }
  }

  private func collectChange(_ worker: Worker) -> Bool {
    guard case .collecting? = mysql?.change, let carry = mysql else { return false }
    switch MySQLChangeUser.parse(carry.fromClient.span, client: carry.clientCapabilities) {
    case .incomplete: return true
    case .invalid(let problem): return denyChange(problem, nil, nil, worker)
    case .complete(let change, let length):
      mysql?.fromClient.removeFirst(length)
      judge(change, worker)
      return false
    }
  }

  private func judge(_ change: MySQLChangeUser, _ worker: Worker) {
    guard let session, let verified = VerifiedPeer(peer, session: session, claims: change.names.facts) else {
      _ = denyChange("the session is not verified", nil, nil, worker)
      return
    }
    let decision = worker.snapshot.policy.decide(verified.facts, at: worker.wallClock)
    let judged = judged(decision, verified)
    guard decision.verdict == .allow else {
      worker.record(.decision(judged))
      _ = denyChange("COM_CHANGE_USER \(change.names.wish)", decision, verified, worker)
      return
    }
    mysql?.change = .recording(change, decision, verified)
    worker.record(.decision(judged), answering: token)
  }

  private func judged(_ decision: Decision, _ verified: VerifiedPeer) -> JudgedConnection {
    JudgedConnection(
      context: listener.context(of: verified.facts, id: id, start: startedAt), decision: decision,
      destination: destination, policyVersion: policyVersion)
  }

  /// The audit writer's answer to the record of an allowed change.
  func userChangeRecorded(_ answer: Result<AuditReceipt, AuditUnavailable>, _ worker: Worker) {
    guard case .recording(let change, let decision, let verified)? = mysql?.change, let carry = mysql else {
      return
    }
    mysql?.change = nil
    guard case .success(let receipt) = answer, renewPermit(decision, receipt) else {
      farewell = .unrecorded
      changeProblem = "the audit log could not take the record of \(change.names.wish)"
      return handle(.userChangeDenied, worker)
    }
    self.decision = decision
    self.verified = verified
    self.receipt = receipt
    // From the command on the two sides number their packets alike.
    mysql?.numbering = MySQLNumbering(lastOfClient: 0, lastOfUpstream: 0)
    mysql?.scan = MySQLCommandScan()
    preparation = .authenticating
    writeToUpstream(change.packet(upstream: carry.handshake.capabilities), worker)
    handle(.userChanged, worker)
  }

  /// - Returns: false: nothing more is taken from this client.
  private func denyChange(
    _ what: String, _ decision: Decision?, _ verified: VerifiedPeer?, _ worker: Worker
  ) -> Bool {
    changeDenial = decision
    changeProblem = "\(what) is not allowed"
    farewell = .denied(caller: self.decision?.caller?.name, wish: nil)
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
