import AccessPolicy
import AuditLog
import EventLoop
import TLSEngine

/// The shell of one connection: its sockets, its TLS session and what waits to be sent. What happens next is
/// decided by its ``ConnectionMachine``; this does it. Confined to the thread of its worker.
final class Connection {
  let id = RandomID.next()
  let listener: WorkerListener
  /// What its listener said when it came; from the verdict on, what it said then.
  var terms: ListenerSnapshot
  var peer: UnverifiedPeer
  let started: MonotonicTime
  let startedAt: Timestamp
  /// Set once, as soon as the slot is known.
  var token = Token(slot: 0, generation: 0)

  var machine: ConnectionMachine
  /// The moment that the earliest timer set for this connection is due.
  var armedUntil = MonotonicTime.distantFuture

  /// It stands in the worker's list of those that wait for their next turn.
  var isPutOff = false

  let client: Side
  var upstream: Side?
  /// The client's TLS, which knows who it is.
  var session: TLSSession?

  var negotiation: Negotiation
  var opening = ProxyHeaderOpening()
  var introduction: Introduction
  /// What the client wants, where its protocol says that in the first message.
  var purpose: Introduction.Purpose?
  var preparation: Preparation?
  /// What the client is told in its protocol when it is sent away.
  var farewell: Farewell?
  /// The connection whose query this one cancels.
  var cancelled: PostgresSessions.Session?
  /// For the record of a CancelRequest: the id of that connection, or `nothing`.
  var cancels: String?
  /// While the upstream lets the client in.
  var watch: PostgresBackendScan?
  /// What the server said last, where the gateway may have to say something in its place.
  var serverTail: PostgresServerTail?
  /// The pair under which this connection is known to CancelRequests.
  var cancelKey: PostgresCancelKey?
  /// What a MySQL connection carries from one side to the other.
  var mysql: MySQLCarry?
  /// What an upstream said before it is known what to make of it.
  var upstreamBytes: [UInt8] = []
  /// Why COM_CHANGE_USER was refused, and the decision where a policy did so.
  var changeProblem: String?
  var changeDenial: Decision?

  var verified: VerifiedPeer?
  var decision: Decision?
  /// Of the snapshot that decided.
  var policyVersion: String?
  var clearance: AuditClearance?
  /// The moment that the present judgement is for: all that it asks, it asks for this one.
  var judgedAt = Timestamp(nanoseconds: .min)
  /// Why it may not go on.
  var revocation: Revocation?
  var failure: HandshakeFailure?
  /// The limit that ends the connection.
  var exceeded: ExceededLimit?
  var callers = CountedCallers()
  var dial: UpstreamDial?
  /// The upstream's address, which counts this connection.
  var endpoint: UpstreamEndpoint?
  var relay: Relay?

  init(
    socket: consuming StreamSocket, peer: UnverifiedPeer, listener: WorkerListener, now: MonotonicTime,
    wallClock: Timestamp
  ) {
    self.client = Side(socket)
    self.peer = peer
    self.listener = listener
    self.terms = listener.snapshot
    self.started = now
    self.startedAt = wallClock
    let snapshot = terms
    negotiation = Negotiation(
      snapshot.wireProtocol, expectsProxyHeader: snapshot.expectsProxyHeader(from: peer.address),
      greeting: snapshot.greeting)
    introduction = Introduction(snapshot.wireProtocol)
    machine = ConnectionMachine(
      course: snapshot.course(for: peer.address), timeouts: snapshot.timeouts, now: now)
  }

  // MARK: Events

  func clientEvent(_ readiness: Readiness, _ worker: Worker) {
    client.socket.note(readiness)
    advance(worker)
  }

  func upstreamEvent(_ readiness: Readiness, _ worker: Worker) {
    upstream?.socket.note(readiness)
    advance(worker)
  }

  func timerFired(_ worker: Worker) {
    // A timer that was overtaken by an earlier one has nothing to say.
    guard armedUntil <= worker.now else { return }
    armedUntil = .distantFuture
    handle(.deadline, worker)
    worker.arm(self)
  }

  /// The drain timeout is over.
  func drain(_ worker: Worker) {
    farewell = .shuttingDown
    if decision == nil {
      failure = HandshakeFailure(
        reason: .timeout, code: nil, message: "the gateway shut down before the connection was judged")
    }
    handle(.drained, worker)
  }

  func recordAnswered(_ answer: Result<AuditClearance, AuditUnavailable>, _ worker: Worker) {
    if mysql?.change != nil, machine.state == .relaying { return userChangeRecorded(answer, worker) }
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
    case .negotiating: stepNegotiation(worker)
    case .handshaking: stepHandshake(worker)
    case .introducing: stepIntroduction(worker)
    case .preparing: stepPreparation(worker)
    case .recording, .connecting: if client.socket.isBroken { handle(.clientLost, worker) }
    case .relaying: moveBytes(worker)
    case .lingering: linger(worker)
    case .judging, .closed: break
    }
  }

  /// Tells the machine what happened, and does what it says.
  func handle(_ event: ConnectionMachine.Event, _ worker: Worker) {
    let wasUnauthenticated = machine.isUnauthenticated
    let action = machine.handle(event, at: worker.now)
    if wasUnauthenticated, !machine.isUnauthenticated { listener.unauthenticated.leave() }
    perform(action, worker)
    worker.arm(self)
  }

  private func perform(_ action: ConnectionMachine.Action, _ worker: Worker) {
    switch action {
    case .none: break
    case .startTLS: startTLS(worker)
    case .introduce: stepIntroduction(worker)
    case .judge: judge(worker)
    case .recordVerdict: recordVerdict(worker)
    case .recordDenial: recordDenial(worker)
    case .dial: dialUpstream(worker)
    case .dialNext: dialNext(worker)
    case .prepare: prepareUpstream(worker)
    case .reauthenticate: stepPreparation(worker)
    case .recordUserChangeDenied: recordUserChangeDenied(worker)
    case .giveUpAddress: lose("the upstream did not get through its TLS handshake in time", worker)
    case .startRelay:
      noteUpstreamServes()
      startRelay(worker)
    case .recordHandshakeFailure(let reason): recordHandshakeFailure(reason, worker)
    case .recordEviction: recordEviction(worker)
    case .recordLimit: recordLimit(worker)
    case .refuseUnrecorded: refuseUnrecorded(worker)
    case .recordUpstreamFailure(let reason): recordUpstreamFailure(reason, worker)
    case .recordClose(let reason, let reset): recordClose(reason, reset: reset, worker)
    case .review: review(worker)
    case .recordRevocation: recordRevocation(worker)
    case .close: close(worker)
    }
  }
}
