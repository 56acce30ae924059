import AuditLog
import DataPlane
import EventLoop
import GatewayConfiguration
import TLSEngine
import Testing

/// Sockets that several workers wait on, and listeners that have several sockets.
struct SharedSocketTests {
  private let audit = ScriptedAudit()
  private let listener: ListenerSnapshot

  init() throws {
    listener = ListenerSnapshot(
      name: "front", address: .handedOver("front"),
      tls: try TestPKI.shared.get().serverContext(),
      upstream: UpstreamSnapshot(name: "back", addresses: [.unix("/none")], connectTimeout: .seconds(5)),
      limits: Limits(maxHandshakes: 200))
  }

  /// - Parameter admission: counts the connections of this worker.
  private func worker(
    of listener: ListenerSnapshot, _ admission: Admission, among count: Int
  ) throws -> Worker {
    let policy = try #require(TestPolicy.compile([]))
    return try Worker(
      snapshot: Snapshot(version: "test", listeners: [listener], policy: policy, limits: listener.limits),
      environment: WorkerEnvironment(
        audit: audit,
        encoder: RecordEncoder(
          observer: Observer(hostname: "test", version: "0"), digest: { SHA256.hash($0) }),
        admission: admission, workerCount: count, resolveAgain: { _ in }),
      resolutions: [:])
  }

  /// The kernel alone would give nearly all of them to one worker, since that one is idle again by the next.
  @Test func connectionsThatComeOneByOneSpreadOverTheWorkers() throws {
    let socket = try ListeningSocket.listen(on: .v4(0x7f00_0001, port: 0), backlog: 64, reusePort: false)
    let bound = socket.localAddress()
    let admissions = [Admission(limit: 1000), Admission(limit: 1000)]
    let limit = Admission(limit: 1000)
    let workers = try admissions.map { admission in
      let worker = try worker(of: listener, admission, among: admissions.count)
      try worker.listen(listener, on: try socket.duplicate(), mode: .shared, admission: limit)
      return worker
    }
    socket.close()
    let mailboxes = workers.map(\.mailbox)
    let threads = try workers.map { worker in
      nonisolated(unsafe) let worker = worker
      return try WorkerThread(name: "shared") { unsafe worker.run() }
    }
    let clients = try (1...60).map { count in
      let client = ScriptedSocket(try StreamSocket.connect(to: try #require(bound)))
      let end = MonotonicTime.now() + .seconds(30)
      while limit.count < count, MonotonicTime.now() < end { client.pump() }
      return client
    }
    let counts = admissions.map(\.count)
    for mailbox in mailboxes {
      mailbox.post(.drain)
      mailbox.post(.endConnections)
    }
    for thread in threads { thread.join() }
    clients.forEach { $0.pump() }
    #expect(counts.reduce(0, +) == 60)
    // How evenly is up to whoever shares the machine's processors; without a step back it is 60 to none.
    #expect(counts.allSatisfy { $0 >= 6 }, "\(counts)")
  }

  @Test func theSocketsOfAListenerShareItsHandshakes() throws {
    var limited = Limits()
    limited.maxHandshakes = 2
    let listener = ListenerSnapshot(
      name: "front", address: .handedOver("front"), tls: listener.tls,
      upstream: listener.upstream, limits: limited)
    let admission = Admission(limit: 1000)
    let worker = try worker(of: listener, admission, among: 1)
    let addresses = try (0..<2).map { _ in
      let socket = try ListeningSocket.listen(on: .v4(0x7f00_0001, port: 0), backlog: 8, reusePort: false)
      let bound = socket.localAddress()
      try worker.listen(listener, on: socket, mode: .shared, admission: Admission(limit: 1000))
      return try #require(bound)
    }
    var accepted = 0
    let clients = try [addresses[0], addresses[1], addresses[0], addresses[1]].map { address in
      let client = ScriptedSocket(try StreamSocket.connect(to: address))
      accepted += 1
      let end = MonotonicTime.now() + .seconds(30)
      while admission.count + evictions < accepted, MonotonicTime.now() < end { worker.turn(waitLimit: 1) }
      return client
    }
    #expect(admission.count == 2)
    #expect(evictions == 2)
    clients.forEach { $0.pump() }
    #expect(clients.map(\.isOpen) == [false, false, true, true])
  }

  private var evictions: Int { audit.actions.count { $0 == "limit-reached" } }

  @Test func aWorkerAnswersAPing() throws {
    let worker = try worker(of: listener, Admission(limit: 1), among: 1)
    let answers = try Mailbox<Int>()
    worker.mailbox.post(.ping { answers.post(7) })
    var heard: [Int] = []
    let end = MonotonicTime.now() + .seconds(30)
    while heard.isEmpty, MonotonicTime.now() < end {
      worker.turn(waitLimit: 1)
      answers.drain(into: &heard)
    }
    #expect(heard == [7])
  }
}
