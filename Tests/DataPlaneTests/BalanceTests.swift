import AccessPolicy
import DataPlane
import EventLoop
import GatewayConfiguration
import Testing

/// Several addresses behind one listener, on real sockets and a clock that the test moves.
struct BalanceTests {
  /// Opens connections that stay, one after the other.
  private func connect(_ count: Int, _ world: TestWorld) throws -> [TestClient] {
    try (0..<count).map { _ in
      let before = world.upstreams.reduce(0) { $0 + $1.connections.count }
      let client = try world.client(.orders)
      world.settle(client) {
        client.isEstablished && world.upstreams.reduce(0) { $0 + $1.connections.count } == before + 1
      }
      return client
    }
  }

  private func loads(_ world: TestWorld) -> [Int] { world.upstreams.map(\.connections.count) }

  /// What the pool counts at each upstream.
  private func counts(_ world: TestWorld, _ addresses: [SocketAddress]) -> [Int] {
    addresses.map { address in
      guard case .ip(let ip, let port) = address else { return -1 }
      let target = UpstreamTarget(address: NetworkAddress(ip: ip, port: port))
      return world.pools.pool(of: "back").candidates([target], .roundRobin, at: world.clock.monotonic)
        .reduce(0) { $0 + $1.endpoint.count }
    }
  }

  @Test(arguments: Upstream.Balance.allCases)
  func connectionsAreSharedOutEvenly(_ balance: Upstream.Balance) throws {
    let world = try TestWorld(upstreams: 3, balance: balance)
    let clients = try connect(9, world)
    #expect(loads(world) == [3, 3, 3])
    #expect(clients.count == 9)
  }

  @Test func theLeastUsedAddressIsFilledUp() throws {
    let world = try TestWorld(upstreams: 2)
    let clients = try connect(4, world)
    for connection in world.upstreams[0].connections { connection.close(reset: true) }
    world.settle(clients[0], clients[1], clients[2], clients[3]) { world.admission.count == 2 }
    let more = try connect(2, world)
    #expect(loads(world) == [4, 2])
    #expect(more.count == 2)
  }

  @Test func aRefusedAddressIsLeftAloneAndItsRecordNamesTheOneThatAnswered() throws {
    let world = try TestWorld(upstreams: 2, balance: .roundRobin)
    world.upstreams[0].stopListening()
    let clients = try connect(6, world)
    #expect(loads(world) == [0, 6])
    #expect(!world.audit.actions.contains("upstream-failed"))
    #expect(world.health.changes.count == 1)
    #expect(world.health.changes.first?.problem?.contains("ECONNREFUSED") == true)
    clients[0].closeSending()
    world.upstreams[1].connections[0].endSending()
    world.settle(clients[0]) { world.audit.actions.contains("connection-closed") }
    let record = world.audit.records.last
    #expect(record?["destination.address"] == "\(world.upstreams[1].address)")
    #expect(record?["destination.ip"] == "127.0.0.1")
  }

  @Test func whereAllFailTheRecordNamesEach() throws {
    let world = try TestWorld(upstreams: 3)
    for upstream in world.upstreams { upstream.stopListening() }
    let client = try world.client(.orders)
    world.settle(client) { client.isOver && world.admission.count == 0 }
    let record = try #require(world.audit.records.last)
    #expect(record.reason == "upstream_unreachable")
    for upstream in world.upstreams {
      #expect(record["error.message"]?.contains("\(upstream.address): connect: Connection refused") == true)
    }
    #expect(counts(world, world.upstreams.map(\.address)) == [0, 0, 0])
  }

  @Test func anAddressThatComesBackIsUsedAgainAfterItsRest() throws {
    let world = try TestWorld(upstreams: 2)
    let pool = world.pools.pool(of: "back")
    guard case .ip(let ip, let port) = world.upstreams[0].address else { return }
    let target = UpstreamTarget(address: NetworkAddress(ip: ip, port: port))
    let endpoint = try #require(
      pool.candidates([target], .roundRobin, at: world.clock.monotonic).first?.endpoint)
    pool.failed(endpoint, .connect, "scripted", at: world.clock.monotonic)
    let first = try connect(3, world)
    #expect(loads(world) == [0, 3])
    world.clock.advance(by: .seconds(1))
    let second = try connect(3, world)
    #expect(loads(world) == [3, 3])
    #expect(world.health.changes.map { $0.problem == nil } == [false, true])
    #expect(first.count + second.count == 6)
  }

  @Test func aSilentAddressIsOutrunAfterTheAttemptDelay() throws {
    let hanging = try HangingUpstream()
    let world = try TestWorld(before: [hanging.address])
    let client = try world.client(.orders)
    world.settle(client) { counts(world, [hanging.address]) == [1] }
    for _ in 0..<20 { world.worker.turn(waitLimit: 1) }
    #expect(world.upstream.connections.isEmpty)
    world.clock.advance(by: .milliseconds(250))
    world.settle(client) { world.upstream.connections.count == 1 }
    world.settle(client) { counts(world, [hanging.address, world.upstream.address]) == [0, 1] }
    client.send(Array("ping".utf8))
    world.settle(client) { world.upstream.connections[0].received == Array("ping".utf8) }
    // The next one does not wait for it.
    let next = try connect(1, world)
    #expect(next.count == 1)
    #expect(world.health.changes.map(\.address.port) == [port(of: hanging.address)])
    #expect(!world.audit.actions.contains("upstream-failed"))
  }

  private func port(of address: SocketAddress) -> UInt16? {
    if case .ip(_, let port) = address { port } else { nil }
  }

  @Test func whereAllAreSilentTheConnectTimeoutEndsItAndNothingStaysOpen() throws {
    let hanging = try [HangingUpstream(), HangingUpstream()]
    let addresses = hanging.map(\.address)
    let world = try TestWorld(upstreamAddress: nil, before: addresses)
    world.upstream.stopListening()
    let client = try world.client(.orders)
    world.settle(client) { counts(world, addresses).contains(1) }
    for _ in 0..<3 {
      world.clock.advance(by: .milliseconds(250))
      for _ in 0..<5 { world.worker.turn(waitLimit: 1) }
    }
    #expect(counts(world, addresses) == [1, 1])
    world.clock.advance(by: .seconds(5))
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(counts(world, addresses) == [0, 0])
    let record = try #require(world.audit.records.last)
    #expect(record.reason == "upstream_timeout")
    for address in addresses + [world.upstream.address] {
      #expect(record["error.message"]?.contains("\(address)") == true)
    }
  }

  /// A client that goes while several addresses are being dialled takes all of their sockets with it.
  @Test func aClientThatHangsUpEndsEveryAttempt() throws {
    let hanging = try [HangingUpstream(), HangingUpstream()]
    let addresses = hanging.map(\.address)
    let world = try TestWorld(before: addresses)
    world.upstream.stopListening()
    let client = try world.client(.orders)
    world.settle(client) { counts(world, addresses).contains(1) }
    world.clock.advance(by: .milliseconds(250))
    world.settle(client) { counts(world, addresses) == [1, 1] }
    client.socket.close(reset: true)
    world.settle { world.admission.count == 0 }
    #expect(counts(world, addresses) == [0, 0])
  }

  @Test func anAddressThatRefusesIsNotWaitedFor() throws {
    let world = try TestWorld(upstreams: 4)
    for upstream in world.upstreams.prefix(3) { upstream.stopListening() }
    // The clock stands still: no attempt delay passes.
    let client = try world.client(.orders)
    world.settle(client) { world.upstreams[3].connections.count == 1 }
  }

  @Test func anAddressThatIsTriedAgainInVainCostsTheClientNothing() throws {
    let world = try TestWorld(upstreams: 2)
    world.upstreams[0].stopListening()
    var clients = try connect(2, world)
    for _ in 0..<3 {
      world.clock.advance(by: .seconds(40))
      clients += try connect(2, world)
    }
    #expect(loads(world) == [0, 8])
    #expect(!world.audit.actions.contains("upstream-failed"))
    // Said once, not at every trial.
    #expect(world.health.changes.count == 1)
  }

  @Test func everyAddressOfANameTakesPart() throws {
    let name = UpstreamAddresses.Name(name: "db.test", port: 1)
    let world = try TestWorld(upstreamAddress: .name("db.test", port: 1), upstreams: 3)
    let found = world.upstreams.compactMap { port(of: $0.address) }
    let targets = { (ports: [UInt16]) in
      Resolution.addresses(ports.map { UpstreamTarget(.v4(0x7f00_0001, port: $0), of: name) })
    }
    world.worker.mailbox.post(.resolved(name, targets(Array(found.prefix(2)))))
    var clients = try connect(4, world)
    #expect(loads(world) == [2, 2, 0])
    // The name changes: new connections go where it points now, live ones stay.
    world.worker.mailbox.post(.resolved(name, targets([found[2]])))
    clients += try connect(2, world)
    #expect(loads(world) == [2, 2, 2])
    #expect(world.admission.count == 6)
    // It stops resolving: what it was last holds.
    world.worker.mailbox.post(.resolved(name, .failed("no answer")))
    clients += try connect(1, world)
    #expect(loads(world) == [2, 2, 3])
    clients[0].closeSending()
    world.upstreams[0].connections[0].endSending()
    world.settle(clients[0]) { world.audit.actions.contains("connection-closed") }
    #expect(world.audit.records.last?["destination.address"] == "db.test:1")
    #expect(world.audit.records.last?["destination.port"] == "\(found[0])")
  }
}
