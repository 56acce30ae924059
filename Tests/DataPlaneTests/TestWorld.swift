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
  let listener: ListenerSnapshot
  let limits: Limits
  let address: NetworkAddress
  let environment: WorkerEnvironment
  let upstreams: [TestUpstream]
  /// The first one, where there are several.
  let upstream: TestUpstream
  let pools: UpstreamPools
  let health = HealthLog()
  let pki: TestPKI
  private var sockets: [ScriptedSocket] = []
  private var lastUnsent = -1
  private var stalled = 0

  /// - Parameters:
  ///   - rules: who may come in; without any, nobody.
  ///   - count: how many upstreams play along.
  ///   - before: addresses that stand before theirs in the configuration.
  init(
    limits: Limits = Limits(), rules: [RuleEntry] = [TestPolicy.allowOrders], maxConnections: Int = 100,
    upstreamAddress: SocketAddress? = nil, wireProtocol: WireProtocol = .tcp,
    proxySources: ProxySources? = nil, upstreams count: Int = 1, before: [SocketAddress] = [],
    balance: Upstream.Balance = .leastConnections, names: [UpstreamAddresses.Name: Resolution] = [:],
    upstreamTLS: TLSClientContext? = nil, nextAddresses: [SocketAddress] = [],
    callers: [CallerEntry] = TestPolicy.workers
  ) throws {
    pki = try TestPKI.shared.get()
    let made = try (0..<count).map { _ in try TestUpstream() }
    upstreams = made
    upstream = try #require(made.first)
    let health = health
    let pools = UpstreamPools { health.add($0) }
    self.pools = pools
    admission = Admission(limit: maxConnections)
    let policy = try #require(TestPolicy.compile(rules, callers: callers))
    let targets = (upstreamAddress.map { [$0] } ?? before + made.map(\.address)) + nextAddresses
    let listener = ListenerSnapshot(
      name: "front", wireProtocol: wireProtocol, proxySources: proxySources,
      address: .opened(.v4(0x7f00_0001, port: 0), .init()), tls: try pki.serverContext(),
      upstream: UpstreamSnapshot(
        name: "back", addresses: targets, balance: balance, connectTimeout: .seconds(5), tls: upstreamTLS),
      limits: limits)
    self.listener = listener
    self.limits = limits
    let clock = clock
    environment = WorkerEnvironment(
      audit: audit,
      encoder: RecordEncoder(
        observer: Observer(hostname: "test", version: "0"), digest: { SHA256.hash($0) }),
      admission: admission, workerCount: 1,
      clock: Clock(monotonic: { clock.monotonic }, wall: { clock.wall }), upstreams: pools,
      resolveAgain: { _ in })
    worker = try Worker(
      snapshot: Snapshot(version: "test", listeners: [listener], policy: policy, limits: limits),
      environment: environment,
      resolutions: names)
    let socket = try ListeningSocket.listen(on: .v4(0x7f00_0001, port: 0), backlog: 64, reusePort: false)
    let bound = socket.localAddress()
    try worker.listen(listener, on: socket, mode: .level, admission: Admission(limit: maxConnections))
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
      for upstream in upstreams { upstream.pump() }
      for client in clients { client.pump() }
      for socket in sockets { socket.pump() }
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

  /// A client that speaks no TLS; it moves its bytes whenever the world turns.
  func plaintext(_ bytes: [UInt8]) throws -> ScriptedSocket {
    let socket = ScriptedSocket(try StreamSocket.connect(to: address))
    socket.send(bytes)
    sockets.append(socket)
    return socket
  }

  /// A snapshot takes the place of the one that holds, with the worker's next turn.
  /// - Parameters:
  ///   - listener: what the listener is then, if not what it was; nil: it is there no more.
  ///   - kept: whether it keeps its socket.
  func adopt(
    _ version: String, rules: [RuleEntry] = [TestPolicy.allowOrders], listener: ListenerSnapshot?? = .none,
    kept: Bool = true, opened: [SnapshotChange.Opened] = [], drainTimeout: Duration = .seconds(30)
  ) throws {
    let present = listener ?? self.listener
    let policy = try #require(TestPolicy.compile(rules))
    worker.mailbox.post(
      .adopt(
        SnapshotChange(
          snapshot: Snapshot(
            version: version, listeners: present.map { [$0] } ?? [], policy: policy, limits: limits,
            drainTimeout: drainTimeout),
          kept: kept && present != nil ? ["front"] : [], opened: opened)))
  }

  /// The listener as it is, under other trust.
  func trusting(_ authorities: [UInt8], label: String? = nil) throws -> ListenerSnapshot {
    ListenerSnapshot(
      name: listener.name, wireProtocol: listener.wireProtocol, address: listener.address,
      tls: try pki.serverContext(trusting: authorities, label: label), upstream: listener.upstream,
      limits: limits)
  }

  /// Sends bytes through and sees that they arrive.
  /// - Parameter upstream: which connection of the upstream is the client's.
  func exchange(_ client: TestClient, _ upstream: Int) {
    let socket = self.upstream.connections[upstream]
    _ = socket.takeReceived()
    client.send(Array("more".utf8))
    settle(client) { socket.received == Array("more".utf8) }
  }

  /// Two clients whose bytes have reached their upstreams.
  func live(_ identities: TestPKI.Identity...) throws -> [TestClient] {
    try identities.map { identity in
      let before = upstream.connections.count
      let client = try client(identity)
      client.send(Array("ping".utf8))
      settle(client) { upstream.connections.count > before && !upstream.connections[before].received.isEmpty }
      return client
    }
  }

  func client(_ identity: TestPKI.Identity?, asking request: [UInt8] = []) throws -> TestClient {
    try TestClient(to: address, pki: pki, identity: identity, asking: request)
  }
}

/// What has been told of addresses.
final class HealthLog: Sendable {
  private let state = Mutex<[HealthChange]>([])

  var changes: [HealthChange] { state.withLock { $0 } }
  func add(_ change: HealthChange) { state.withLock { $0.append(change) } }
}

/// Time that stands still until a test moves it.
final class ManualClock: Sendable {
  private struct State {
    var monotonic = MonotonicTime(nanoseconds: 1_000_000_000_000)
    var wall = TestPKI.now
    /// Nanoseconds by which they move whenever they are looked at.
    var tick: Int64 = 0
    var monotonicTick: Int64 = 0
  }

  private let state = Mutex(State())

  var monotonic: MonotonicTime {
    state.withLock { state in
      defer { state.monotonic = state.monotonic + .nanoseconds(state.monotonicTick) }
      return state.monotonic
    }
  }
  var wall: Timestamp {
    state.withLock { state in
      defer { state.wall = Timestamp(nanoseconds: state.wall.nanoseconds + state.tick) }
      return state.wall
    }
  }

  /// The wall clock moves by so many nanoseconds whenever it is looked at.
  func tick(by nanoseconds: Int64) { state.withLock { $0.tick = nanoseconds } }

  /// The monotonic clock does, as if whatever lies between two looks took so long.
  func tickMonotonic(by nanoseconds: Int64) { state.withLock { $0.monotonicTick = nanoseconds } }

  /// Somebody sets the wall clock; the monotonic one goes on as it was.
  func setWall(by duration: Duration) {
    state.withLock { state in
      let later = state.monotonic + duration
      state.wall = Timestamp(
        nanoseconds: state.wall.nanoseconds + later.nanoseconds - state.monotonic.nanoseconds)
    }
  }

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
  enum Behaviour: Sendable { case accept, refuse, waive, hold }

  private struct State {
    var behaviour = Behaviour.accept
    var records: [TestRecord] = []
    var held: [AuditAnswer] = []
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

  func append(_ record: EncodedRecord, answering: @escaping AuditAnswer) {
    let record = TestRecord(record)
    let answer: Result<AuditClearance, AuditUnavailable>? = state.withLock { state in
      switch state.behaviour {
      case .accept:
        state.records.append(record)
        return .success(.recorded(AuditReceipt(sequence: UInt64(state.records.count))))
      case .refuse: return .failure(AuditUnavailable(message: "scripted"))
      case .waive: return .success(.waived(AuditWaiver(AuditUnavailable(message: "scripted"))))
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
    for answer in held { answer(.success(.recorded(AuditReceipt(sequence: 1)))) }
  }
}
