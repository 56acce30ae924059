import AccessPolicy
import AuditLog
import EventLoop
import TLSEngine

/// The shell of one connection: its sockets, its TLS session and what waits to be sent. What happens next is
/// decided by its ``ConnectionMachine``; this does it. Confined to the thread of its worker.
final class Connection {
  let id = RandomID.next()
  let listener: WorkerListener
  let peer: UnverifiedPeer
  let started: MonotonicTime
  let startedAt: Timestamp
  /// Set once, as soon as the slot is known.
  var token = Token(slot: 0, generation: 0)

  var machine: ConnectionMachine
  /// The moment that the earliest timer set for this connection is due.
  var armedUntil = MonotonicTime.distantFuture

  var session: TLSSession?
  var client: SocketEnd
  var upstream: SocketEnd?

  /// Ciphertext that was received and that OpenSSL has not taken yet, because the upstream is slower.
  var savedInbound = PendingBytes()
  /// Ciphertext that the client has not taken yet.
  var toClient = PendingBytes()
  /// Plaintext that the upstream has not taken yet.
  var toUpstream = PendingBytes()
  /// The client is told the end of the stream as soon as ``toClient`` is empty.
  var clientEndsAfterFlush = false

  var verified: VerifiedPeer?
  var decision: Decision?
  /// Of the snapshot that decided.
  var policyVersion: String?
  var clearance: AuditClearance?
  var failure: HandshakeFailure?
  var dial: UpstreamDial?
  var relay: Relay?

  init(
    socket: consuming StreamSocket, peer: UnverifiedPeer, listener: WorkerListener, now: MonotonicTime,
    wallClock: Timestamp
  ) {
    self.client = SocketEnd(socket)
    self.peer = peer
    self.listener = listener
    self.started = now
    self.startedAt = wallClock
    self.machine = ConnectionMachine(timeouts: listener.snapshot.timeouts, now: now)
  }

  // MARK: Events

  func clientEvent(_ readiness: Readiness, _ worker: Worker) {
    client.note(readiness)
    advance(worker)
  }

  func upstreamEvent(_ readiness: Readiness, _ worker: Worker) {
    upstream?.note(readiness)
    if machine.state == .connecting { finishDialling(worker) } else { advance(worker) }
  }

  func timerFired(_ worker: Worker) {
    // A timer that was overtaken by an earlier one has nothing to say.
    guard armedUntil <= worker.now else { return }
    armedUntil = .distantFuture
    handle(.deadline, worker)
    worker.arm(self)
  }

  func recordAnswered(_ answer: Result<AuditClearance, AuditUnavailable>, _ worker: Worker) {
    switch answer {
    case .success(let clearance):
      self.clearance = clearance
      handle(.recordAccepted, worker)
    case .failure: handle(.recordRefused, worker)
    }
  }

  /// Goes on with whatever the present state allows.
  func advance(_ worker: Worker) {
    switch machine.state {
    case .handshaking: stepHandshake(worker)
    case .recording, .connecting: if client.isBroken { handle(.clientLost, worker) }
    case .relaying: moveBytes(worker)
    case .lingering: linger(worker)
    case .judging, .closed: break
    }
  }

  /// Tells the machine what happened, and does what it says.
  func handle(_ event: ConnectionMachine.Event, _ worker: Worker) {
    let wasHandshaking = machine.state == .handshaking
    let action = machine.handle(event, at: worker.now)
    if wasHandshaking, machine.state != .handshaking { listener.unauthenticated.leave() }
    perform(action, worker)
    worker.arm(self)
  }

  private func perform(_ action: ConnectionMachine.Action, _ worker: Worker) {
    switch action {
    case .none: break
    case .judge: judge(worker)
    case .recordVerdict: recordVerdict(worker)
    case .recordDenial: recordDenial(worker)
    case .dial: dialUpstream(worker)
    case .startRelay: startRelay(worker)
    case .recordHandshakeFailure(let reason): recordHandshakeFailure(reason, worker)
    case .recordEviction: recordEviction(worker)
    case .refuseUnrecorded: refuseUnrecorded(worker)
    case .recordUpstreamFailure(let reason): recordUpstreamFailure(reason, worker)
    case .recordClose(let reason, let reset): recordClose(reason, reset: reset, worker)
    case .recordExpiry: recordExpiry(worker)
    case .close: close(worker)
    }
  }
}
