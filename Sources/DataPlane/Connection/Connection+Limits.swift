import AccessPolicy
import AuditLog
import EventLoop
import GatewayConfiguration
import Patterns

/// The callers to whom a connection counts: one from the verdict on, and two while a MySQL client becomes another
/// user, which the upstream may refuse.
struct CountedCallers {
  var now: String?
  var before: String?
}

extension Connection {
  // MARK: Connections of a caller

  /// Counts the connection to the caller of a decision that allows.
  /// - Returns: the limit that it meets; then nothing has changed.
  func enterCaller(of decision: Decision, _ worker: Worker) -> ExceededLimit? {
    guard let caller = decision.caller?.name, !caller.isExactly(callers.now) else { return nil }
    let common = worker.snapshot.limits.maxConnectionsPerCaller
    let own = listener.snapshot.limits.maxConnectionsPerCaller
    guard worker.environment.admission.callers.enter(caller, limit: common) else {
      return .caller(common)
    }
    guard listener.admission.callers.enter(caller, limit: own) else {
      worker.environment.admission.callers.leave(caller)
      return .caller(own)
    }
    callers.before = callers.now
    callers.now = caller
    return nil
  }

  /// The upstream has said whether the client is the other user that it wanted to become.
  func settleCaller(isChanged: Bool, _ worker: Worker) {
    guard let before = callers.before.take(), let now = callers.now else { return }
    leave(isChanged ? before : now, worker)
    if !isChanged { callers.now = before }
    // Whom it stays may have been judged again meanwhile.
    moveCaller(to: decision?.caller?.name, worker)
  }

  /// A live connection has another caller by a new judgement: it counts to that one from here on. There is no limit to
  /// that, since limits hold back who is new.
  func moveCaller(to caller: String?, _ worker: Worker) {
    guard !caller.isExactly(callers.now) else { return }
    if let caller {
      _ = worker.environment.admission.callers.enter(caller, limit: 0)
      _ = listener.admission.callers.enter(caller, limit: 0)
    }
    if let now = callers.now { leave(now, worker) }
    callers.now = caller
  }

  /// The connection is over.
  func leaveCallers(_ worker: Worker) {
    if let now = callers.now.take() { leave(now, worker) }
    if let before = callers.before.take() { leave(before, worker) }
  }

  private func leave(_ caller: String, _ worker: Worker) {
    worker.environment.admission.callers.leave(caller)
    listener.admission.callers.leave(caller)
  }

  // MARK: Ends by a limit

  func recordLimit(_ worker: Worker) {
    farewell = .tooManyConnections
    if machine.state == .closed { return turnAway(worker) }
    if let exceeded { recordLimit(exceeded, caller: decision?.caller, context(nil), worker) }
    sayFarewell(worker)
  }

  func recordLimit(
    _ exceeded: ExceededLimit, caller: Caller?, _ context: ConnectionContext, _ worker: Worker
  ) {
    worker.record(
      .limitReached(
        .init(
          limit: exceeded.name, value: exceeded.value, scope: exceeded.scope, context: context,
          caller: caller)))
  }

  /// As if it had not been accepted: its PROXY header alone was read.
  private func turnAway(_ worker: Worker) {
    if let exceeded { worker.tell(exceeded, listener, source: peer.clientAddress.ip) { peer } }
    if let message = farewell?.message(terms.wireProtocol, sequence: mysqlSequence) {
      _ = unsafe message.withUnsafeBytes { unsafe client.write($0, worker) }
      client.endAfterFlush()
      // What has come already must not turn the close into a reset, which may overtake the message.
      _ = unsafe client.socket.receive(into: worker.plaintext)
    }
    close(worker)
  }
}

extension ExceededLimit {
  fileprivate static func caller(_ limit: Int) -> Self {
    Self(name: "max_connections_per_caller", value: limit, scope: .caller)
  }
}
