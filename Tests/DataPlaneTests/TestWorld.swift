import AccessPolicy
import AuditLog
import DataPlane
import EventLoop
import GatewayConfiguration
import Synchronization
import TLSEngine
import Testing

/// A worker without a thread: the test turns its loop by hand, sets its clock, holds back the answers of its
/// audit log, and plays the client and the upstream on loopback sockets.
final class TestWorld {
  let clock = ManualClock()
  let audit = ScriptedAudit()
  let admission: Admission
  let worker: Worker
  let address: NetworkAddress
  let upstream: TestUpstream
  let pki: TestPKI
  private var lastUnsent = -1
  private var stalled = 0

  /// - Parameter rules: who may come in; without any, nobody.
  init(
    limits: Limits = Limits(), rules: [RuleEntry] = [TestPolicy.allowOrders], maxConnections: Int = 100,
    upstreamAddress: SocketAddress? = nil, wireProtocol: WireProtocol = .tcp,
    nextAddresses: [SocketAddress] = []
  ) throws {
    pki = try TestPKI.shared.get()
    upstream = try TestUpstream()
    admission = Admission(limit: maxConnections)
    let policy = try #require(TestPolicy.compile(rules))
    let target = upstreamAddress ?? upstream.address
    let listener = ListenerSnapshot(
      name: "front", wireProtocol: wireProtocol, address: .v4(0x7f00_0001, port: 0),
      tls: try pki.serverContext(),
      upstream: UpstreamSnapshot(
        name: "back", addresses: [target] + nextAddresses, connectTimeout: .seconds(5)),
      limits: limits)
    let clock = clock
    let environment = WorkerEnvironment(
      audit: audit,
      encoder: RecordEncoder(
        observer: Observer(hostname: "test", version: "0"), digest: { SHA256.hash($0) }),
      admission: admission, workerCount: 1,
      clock: Clock(monotonic: { clock.monotonic }, wall: { clock.wall }), resolveAgain: { _ in })
    worker = try Worker(
      snapshot: Snapshot(version: "test", listeners: [listener], policy: policy, limits: limits),
      environment: environment,
      resolutions: [:])
    let bound = try worker.listen(listener, on: listener.address, admission: Admission(limit: maxConnections))
    address = try #require(bound)
  }

  /// Turns the worker and `clients` until a state is reached; fails after thirty seconds of real time.
  func settle(
    _ clients: TestClient..., sourceLocation: Testing.SourceLocation = #_sourceLocation,
    until reached: () -> Bool
  ) {
    let end = MonotonicTime.now() + .seconds(30)
    while !reached() {
      worker.turn(waitLimit: 1)
      upstream.pump()
      for client in clients { client.pump() }
      guard MonotonicTime.now() < end else {
        Issue.record("not reached in time; records: \(audit.actions)", sourceLocation: sourceLocation)
        return
      }
    }
  }

  /// Whether a socket has stopped taking bytes: asked once a turn, it answers after twenty turns without one.
  func isStalled(_ socket: ScriptedSocket) -> Bool {
    stalled = socket.unsent == lastUnsent ? stalled + 1 : 0
    lastUnsent = socket.unsent
    return stalled > 20
  }

  func client(_ identity: TestPKI.Identity?) throws -> TestClient {
    try TestClient(to: address, pki: pki, identity: identity)
  }
}

/// Time that stands still until a test moves it.
final class ManualClock: Sendable {
  private let state = Mutex(
    (monotonic: MonotonicTime(nanoseconds: 1_000_000_000_000), wall: TestPKI.now))

  var monotonic: MonotonicTime { state.withLock { $0.monotonic } }
  var wall: Timestamp { state.withLock { $0.wall } }

  func advance(by duration: Duration) {
    state.withLock { state in
      let later = state.monotonic + duration
      let passed = later.nanoseconds - state.monotonic.nanoseconds
      state.wall = Timestamp(nanoseconds: state.wall.nanoseconds + passed)
      state.monotonic = later
    }
  }
}

/// An audit log in memory, whose answers a test may hold back or turn into refusals.
final class ScriptedAudit: AuditSink {
  enum Behaviour: Sendable { case accept, refuse, hold }
  typealias Answer = @Sendable (Result<AuditReceipt, AuditUnavailable>) -> Void

  private struct State {
    var behaviour = Behaviour.accept
    var records: [TestRecord] = []
    var held: [Answer] = []
  }

  private let state = Mutex(State())

  var records: [TestRecord] { state.withLock { $0.records } }
  var actions: [String] { records.map(\.action) }
  var heldCount: Int { state.withLock { $0.held.count } }

  func behave(_ behaviour: Behaviour) { state.withLock { $0.behaviour = behaviour } }

  func append(_ record: EncodedRecord) {
    let record = TestRecord(record)
    state.withLock { $0.records.append(record) }
  }

  func append(_ record: EncodedRecord, answering: @escaping Answer) {
    let record = TestRecord(record)
    let answer: Result<AuditReceipt, AuditUnavailable>? = state.withLock { state in
      switch state.behaviour {
      case .accept:
        state.records.append(record)
        return .success(AuditReceipt(sequence: UInt64(state.records.count)))
      case .refuse: return .failure(AuditUnavailable(message: "scripted"))
      case .hold:
        state.records.append(record)
        state.held.append(answering)
        return nil
      }
    }
    if let answer { answering(answer) }
  }

  func releaseHeld() {
    let held = state.withLock { state in
      defer { state.held = [] }
      return state.held
    }
    for answer in held { answer(.success(AuditReceipt(sequence: 1))) }
  }
}
