import AccessPolicy
import AuditLog
import EventLoop
import Patterns
import TLSEngine

/// A verdict holds for as long as its connection: whatever it rests on may change, and time passes.
extension Connection {
  /// Asks again whether the connection may go on, from what is stored of it, and when to ask next.
  func review(_ worker: Worker) {
    // Who has no verdict yet is judged by what holds then.
    guard machine.isAllowed else { return }
    judgedAt = worker.wallClock
    if let lost = loss(worker) {
      revocation = lost
      return handle(.revoked, worker)
    }
    adoptTerms(worker)
    scheduleReview(worker)
    worker.arm(self)
  }

  /// Sees to it that the connection is looked at when time alone may end it: at the first such moment behind the one
  /// that was judged. It may have come meanwhile, and is looked at at once then.
  func scheduleReview(_ worker: Worker) {
    guard let next = nextMoment(worker) else { return machine.review(at: nil) }
    let (left, overflow) = next.nanoseconds.subtractingReportingOverflow(worker.wallClock.nanoseconds)
    machine.review(at: overflow ? nil : worker.now + .nanoseconds(left))
  }

  /// The first moment behind the one that was judged at which time alone may end the connection; nil: there is none.
  private func nextMoment(_ worker: Worker) -> Timestamp? {
    var next = Timestamp.distantFuture
    let judged = judgedAt
    func consider(_ moment: Timestamp?) {
      if let moment, moment > judged, moment < next { next = moment }
    }
    if let validity = session?.validity {
      consider(Self.end(of: validity.notAfter))
      consider(validity.staleAfter.map(Self.end))
    }
    if let verified, cancelled == nil {
      consider(worker.nextChange(after: judged))
      consider(worker.snapshot.policy.nextBorder(for: verified.facts, after: judged))
      // By which it may be draining.
      consider(listener.retired?.policy.nextChange(for: verified.facts, after: judged))
    }
    return next == .distantFuture ? nil : next
  }

  /// The first moment behind a last valid second, such as notAfter (RFC 5280 §4.1.2.5).
  private static func end(of last: Timestamp) -> Timestamp {
    let (seconds, overflow) = last.seconds.addingReportingOverflow(1)
    return overflow ? .distantFuture : Timestamp(seconds: seconds)
  }

  // MARK: What may be lost

  /// - Returns: why the connection may not go on; nil where it may.
  private func loss(_ worker: Worker) -> Revocation? {
    let now = judgedAt
    if case .instant(let last)? = verified?.facts[.notAfter], Self.end(of: last) <= now {
      return Revocation(.certificateExpired, "the client certificate's notAfter \(last.rfc3339) has passed")
    }
    if let failure = renewTrust(worker) { return Revocation(failure) }
    if case .cancel(let key)? = purpose { return lossOfCancel(key, worker) }
    return lossByPolicy(worker, now)
  }

  /// Verifies the client's chain anew where another trust counts than the one that it was verified under, or where
  /// an issuer or a CRL has come to its end since: there may be another one.
  /// - Returns: why it does not do any more; nil where it does.
  func renewTrust(_ worker: Worker) -> HandshakeFailure? {
    guard let session, session.isEstablished else { return nil }
    if session.adoptsTrust(of: listener.trust), !isOver(session.validity) { return nil }
    let key = session.reverificationKey(by: listener.trust)
    let known = key.flatMap { worker.reviewing?.verified[$0] }.flatMap { isOver($0.validity) ? nil : $0 }
    let outcome = known ?? session.verifyAgain(by: listener.trust, at: judgedAt)
    if known == nil, let key { worker.reviewing?.verified[key] = outcome }
    if let failure = outcome.failure { return failure }
    session.adopt(outcome, of: listener.trust)
    verified = verified?.verifiedAgain(outcome)
    if case .recording(let change, var judgement)? = mysql?.change {
      judgement.verified = judgement.verified.verifiedAgain(outcome) ?? judgement.verified
      mysql?.change = .recording(change, judgement)
    }
    if var before = mysql?.before {
      before.verified = before.verified.verifiedAgain(outcome) ?? before.verified
      mysql?.before = before
    }
    return nil
  }

  /// Whether what was verified has come to its end by the moment that is judged.
  private func isOver(_ validity: ValidityWindow?) -> Bool {
    guard let validity else { return false }
    return Self.end(of: min(validity.notAfter, validity.staleAfter ?? .distantFuture)) <= judgedAt
  }

  /// Whoever asked for a query to be cancelled has the right to it from the connection that the query is of.
  private func lossOfCancel(_ key: PostgresCancelKey, _ worker: Worker) -> Revocation? {
    if let verified {
      let again = worker.decide(verified.facts, at: worker.wallClock)
      guard (again.caller?.name).isExactly(decision?.caller?.name) else {
        return Revocation(.policyChanged, "the certificate names another caller now, or none")
      }
    }
    guard let cancelled, worker.environment.postgresSessions.contains(cancelled, key: key) else {
      return Revocation(.policyChanged, "the connection whose query it cancels is not there any more")
    }
    return nil
  }

  private func lossByPolicy(_ worker: Worker, _ now: Timestamp) -> Revocation? {
    guard let verified, let decision else { return nil }
    let again = worker.decide(verified.facts, at: now)
    if let loss = loss(of: again, before: decision, verified.facts, worker, now) { return loss }
    // The user that it is becoming, and the one that it may fall back to.
    if case .recording(let change, var judgement)? = mysql?.change {
      let again = worker.decide(judgement.verified.facts, at: now)
      if let loss = loss(of: again, before: judgement.decision, judgement.verified.facts, worker, now) {
        return loss
      }
      judgement.decision = again
      judgement.policyVersion = worker.snapshot.version
      mysql?.change = .recording(change, judgement)
    }
    if var before = mysql?.before {
      let again = worker.decide(before.verified.facts, at: now)
      if let loss = loss(of: again, before: before.decision, before.verified.facts, worker, now) {
        return loss
      }
      before.decision = again
      before.policyVersion = worker.snapshot.version
      mysql?.before = before
    }
    accept(again, worker)
    return nil
  }

  private func loss(
    of again: Decision, before: Decision, _ facts: Facts, _ worker: Worker, _ now: Timestamp
  ) -> Revocation? {
    guard again.verdict == .deny else { return nil }
    if again.reason == .default, mayDrain(under: before, facts, worker, now) { return nil }
    let hasOtherPolicy = policyVersion != worker.snapshot.version
    return Revocation(again, before: before, worker.snapshot.policy, hasOtherPolicy: hasOtherPolicy, at: now)
  }

  /// Whether what let the connection in is gone merely with its listener, of which no rule can speak any more where its
  /// name is gone: it drains. What denies it, or does not know it, ends it all the same, and so does the loss of a rule
  /// that was not about the listener.
  private func mayDrain(under before: Decision, _ facts: Facts, _ worker: Worker, _ now: Timestamp) -> Bool {
    guard let last = listener.retired, policyVersion == last.version,
      !worker.snapshot.listeners.contains(where: { $0.name == listener.snapshot.name }),
      let rule = before.rule, last.policy.isAboutListeners(rule: rule)
    else { return false }
    return last.policy.decide(facts, at: now).verdict == .allow
  }

  /// It goes on, perhaps by another rule.
  private func accept(_ again: Decision, _ worker: Worker) {
    guard again.verdict == .allow else { return }
    policyVersion = worker.snapshot.version
    guard again != decision else { return }
    decision = again
    // The user that a MySQL client is becoming is counted already, and so is the one that it may fall back to.
    if mysql?.before == nil, callers.before == nil { moveCaller(to: again.caller?.name, worker) }
    if let clearance, relay != nil { _ = renewPermit(again, clearance) }
    if let key = cancelKey {
      worker.environment.postgresSessions.update(connectionID: id, key: key, decision: again)
    }
  }

  /// What the configuration says of connections holds for those that are there, save where they lead: that was
  /// settled when they were let in.
  private func adoptTerms(_ worker: Worker) {
    guard !listener.isRetired, terms !== listener.snapshot else { return }
    machine.adopt(listener.snapshot.timeouts, prepares: nil)
    if machine.state == .relaying, preparation == nil { terms = listener.snapshot }
  }

  // MARK: The end

  func recordRevocation(_ worker: Worker) {
    // Nobody shall reach the server by it any more, while the client still hears why.
    forgetCancelKey(worker)
    if let judged, let revocation {
      worker.record(
        .connectionRevoked(
          .init(
            connection: judged, reason: revocation.reason, change: revocation.change,
            judgedAgain: revocation.decision, ending: ending(by: .gateway, worker))))
      farewell = .revoked(revocation.reason)
    }
    if isBetweenMessages { sayFarewell(worker) } else { tellClientTheEnd(worker) }
  }
}
