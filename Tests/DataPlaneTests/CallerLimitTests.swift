import EventLoop
import GatewayConfiguration
import Testing

@testable import DataPlane

/// `max_connections_per_caller`: a place is taken behind the verdict, and given back once on every way out.
struct CallerLimitTests {
  private static let one = Limits(maxConnectionsPerCaller: 1)

  private func count(_ world: TestWorld) -> Int { world.admission.callers.count(of: "worker/orders") }

  @Test func theNextOneIsRefusedBeforeTheUpstreamAndTheRecordOfAVerdict() throws {
    let world = try TestWorld(limits: Self.one)
    let first = try world.client(.orders)
    world.settle(first) { world.upstream.connections.count == 1 }
    let second = try world.client(.orders)
    world.settle(first, second) { second.isOver && world.admission.count == 1 }
    #expect(second.hasCloseNotify && second.received.isEmpty)
    #expect(world.audit.actions == ["connection-allowed", "limit-reached"])
    let record = try #require(world.audit.records.last)
    #expect(record["user.name"] == "worker/orders" && record.reason == "limit")
    #expect(record["countersign.limit.name"] == "max_connections_per_caller")
    #expect(record["countersign.limit.scope"] == "caller" && record["countersign.limit.value"] == "1")
    #expect(world.upstream.connections.count == 1 && count(world) == 1)
    first.closeSending()
    world.upstream.connections[0].endSending()
    world.settle(first) { world.admission.count == 0 }
    #expect(world.admission.callers.callers == 0)
    let third = try world.client(.orders)
    world.settle(third) { world.upstream.connections.count == 2 }
  }

  enum Way: Sendable, CaseIterable { case denied, unrecorded, unreachable, vanished, drained, expired }

  @Test(arguments: Way.allCases)
  func everyWayOutGivesThePlaceBack(_ way: Way) throws {
    let gone: SocketAddress? = way == .unreachable ? .unix("/nonexistent/socket") : nil
    let world = try TestWorld(limits: Self.one, upstreamAddress: gone)
    if way == .unrecorded { world.audit.behave(.refuse) }
    if [.vanished, .drained, .expired].contains(way) { world.audit.behave(.hold) }
    let client = try world.client(way == .denied ? .billing : .orders)
    if [.vanished, .drained, .expired].contains(way) {
      world.settle(client) { world.audit.heldCount == 1 }
      #expect(count(world) == 1)
    }
    switch way {
    case .vanished: client.socket.close(reset: true)
    case .drained: world.worker.mailbox.post(.endConnections)
    case .expired: world.clock.advance(by: .seconds(10))
    case .denied, .unrecorded, .unreachable: break
    }
    world.settle(client) { world.admission.count == 0 }
    world.audit.releaseHeld()
    world.worker.turn(waitLimit: 0)
    #expect(world.admission.callers.callers == 0)
  }

  /// A caller that is another one at another hour: a change of the user finds it changed, before the connection is
  /// judged again.
  @Test(arguments: [true, false])
  func aChangeOfTheUserMovesThePlaceIfTheUpstreamBelievesIt(_ isBelieved: Bool) throws {
    let it = try MySQLWorld(limits: Self.one, callers: TestPolicy.earlyAndLate)
    let callers = it.world.admission.callers
    let upstream = try it.relayed()
    #expect(callers.count(of: "early/orders") == 1 && callers.callers == 1)
    it.client.send(MySQLWorld.change("orders_rw"))
    it.client.pump()
    it.world.clock.advance(by: .seconds(660))
    it.settle { !upstream.received.isEmpty }
    #expect(callers.count(of: "early/orders") == 1 && callers.count(of: "late/orders") == 1)
    let refusal = MySQLError(code: 1045, state: "28000", message: "no").packet(sequence: 1)
    let answer = isBelieved ? MySQLPacket.frame(MySQLWorld.ok, sequence: 1) : refusal
    upstream.send(answer)
    it.settle { it.client.received == answer }
    // The user that it stays is one of the late caller by now, too.
    #expect(callers.count(of: "late/orders") == 1 && callers.callers == 1)
    it.client.closeSending()
    upstream.endSending()
    it.settle { it.isOver }
    #expect(callers.callers == 0)
  }

  /// A new judgement may name a live connection otherwise; it does not end for want of a place.
  @Test func anotherCallerByANewJudgementTakesThePlaceAlong() throws {
    let world = try TestWorld(limits: Self.one)
    let callers = world.admission.callers
    let client = try world.client(.orders)
    world.settle(client) { world.upstream.connections.count == 1 }
    #expect(callers.enter("worker/other", limit: 1))
    world.worker.connections.forEach { $1.moveCaller(to: "worker/other", world.worker) }
    #expect(callers.count(of: "worker/other") == 2 && callers.callers == 1)
    world.worker.connections.forEach { $1.moveCaller(to: "worker/other", world.worker) }
    #expect(callers.count(of: "worker/other") == 2)
    client.closeSending()
    world.upstream.connections[0].endSending()
    world.settle(client) { world.admission.count == 0 }
    #expect(callers.count(of: "worker/other") == 1)
  }

  @Test func aChangeToACallerAtItsLimitEndsTheConnection() throws {
    let it = try MySQLWorld(limits: Self.one, callers: TestPolicy.earlyAndLate)
    let callers = it.world.admission.callers
    let upstream = try it.relayed()
    #expect(callers.enter("late/orders", limit: 1))
    it.client.send(MySQLWorld.change("orders_rw"))
    it.client.pump()
    it.world.clock.advance(by: .seconds(660))
    it.settle { it.isOver }
    #expect(upstream.received.isEmpty)
    #expect(it.lastError?.code == 1040 && it.lastError?.sequence == 1)
    #expect(it.world.audit.actions.suffix(2) == ["limit-reached", "connection-revoked"])
    #expect(callers.count(of: "late/orders") == 1 && callers.callers == 1)
  }
}
