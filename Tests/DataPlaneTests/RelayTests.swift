import AccessPolicy
import DataPlane
import EventLoop
import GatewayConfiguration
import Testing

/// Bytes, ends and limits of a relay, on real sockets and a clock that stands still.
struct RelayTests {
  /// A world with an allowed client and its upstream connection.
  private func relayed(
    _ identity: TestPKI.Identity = .orders, limits: Limits = Limits()
  ) throws -> (TestWorld, TestClient, ScriptedSocket) {
    let world = try TestWorld(limits: limits)
    let client = try world.client(identity)
    world.settle(client) { client.isEstablished && world.upstream.connections.count == 1 }
    return (world, client, world.upstream.connections[0])
  }

  private static func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
  }

  private func lastRecord(_ world: TestWorld) throws -> TestRecord { try #require(world.audit.records.last) }

  @Test func bytesArriveWholeAndInOrderBothWays() throws {
    let (world, client, upstream) = try relayed()
    let up = Self.pattern(1_000_003)
    let down = Self.pattern(1_500_007)
    client.send(up)
    upstream.send(down)
    world.settle(client) { upstream.received.count >= up.count && client.received.count >= down.count }
    #expect(upstream.received == up)
    #expect(client.received == down)
  }

  @Test func aPeerThatDoesNotReadStopsTheOtherAndLosesNothing() throws {
    let (world, client, upstream) = try relayed()
    upstream.isReading = false
    let up = Self.pattern(20_000_000)
    client.send(up)
    var before = -1
    // Backpressure: at some point nothing moves any more.
    world.settle(client) {
      let sent = client.unsent
      defer { before = sent }
      return sent == before && sent > 0
    }
    upstream.isReading = true
    client.closeSending()
    world.settle(client) { upstream.hasEnded }
    #expect(upstream.received == up)
  }

  @Test func aClientThatEndsStillGetsItsAnswer() throws {
    let (world, client, upstream) = try relayed()
    client.send([1, 2, 3])
    client.closeSending()
    world.settle(client) { upstream.hasEnded }
    #expect(upstream.received == [1, 2, 3])
    upstream.send(Self.pattern(100_000))
    upstream.endSending()
    world.settle(client) { client.hasCloseNotify && client.socket.hasEnded && world.admission.count == 0 }
    #expect(client.received == Self.pattern(100_000))
    let record = try lastRecord(world)
    #expect(record.action == "connection-closed")
    #expect(record.reason == "client_closed")
    #expect(record["source.bytes"] == "3")
    #expect(record["destination.bytes"] == "100000")
  }

  @Test func anUpstreamThatEndsStillHearsTheClient() throws {
    let (world, client, upstream) = try relayed()
    client.hangsUpAtTheEnd = false
    upstream.send([9])
    upstream.endSending()
    world.settle(client) { client.hasCloseNotify }
    client.send(Self.pattern(50_000))
    client.closeSending()
    world.settle(client) { upstream.hasEnded && world.admission.count == 0 }
    #expect(upstream.received == Self.pattern(50_000))
    #expect(try lastRecord(world).reason == "upstream_closed")
  }

  /// The upstream answers and is gone while the client has ended and reads slowly: nothing may be lost.
  @Test func aSlowClientGetsTheWholeAnswerOfAnUpstreamThatIsGone() throws {
    let (world, client, upstream) = try relayed()
    client.send([1])
    client.closeSending()
    world.settle(client) { upstream.hasEnded }
    client.socket.isReading = false
    let answer = Self.pattern(8_000_000)
    upstream.send(answer)
    upstream.endSending()
    // The upstream's socket is closed as soon as the kernel has everything; much of it is still on the way.
    world.settle(client) { upstream.unsent == 0 || upstream.error != nil || world.isStalled(upstream) }
    client.socket.isReading = true
    world.settle(client) { upstream.unsent == 0 }
    upstream.close()
    world.settle(client) { client.hasCloseNotify && world.admission.count == 0 }
    #expect(client.received == answer)
  }

  /// The client sends, ends and is gone while the upstream reads slowly: nothing may be lost.
  @Test func aSlowUpstreamGetsEverythingOfAClientThatIsGone() throws {
    let (world, client, upstream) = try relayed()
    upstream.endSending()
    client.hangsUpAtTheEnd = false
    world.settle(client) { client.hasCloseNotify }
    upstream.isReading = false
    let bytes = Self.pattern(8_000_000)
    client.send(bytes)
    client.closeSending()
    world.settle(client) { client.unsent == 0 || world.isStalled(client.socket) }
    upstream.isReading = true
    world.settle(client) { upstream.hasEnded && world.admission.count == 0 }
    #expect(upstream.received == bytes)
  }

  @Test func aClientThatDropsTCPIsToldApart() throws {
    let (world, client, upstream) = try relayed()
    client.send([7])
    world.settle(client) { upstream.received == [7] }
    client.socket.endSending()
    world.settle(client) { upstream.hasEnded }
    upstream.endSending()
    world.settle(client) { world.admission.count == 0 }
    #expect(try lastRecord(world)["countersign.truncated"] == "1")
  }

  @Test func aResetOfTheClientIsPassedOn() throws {
    let (world, client, upstream) = try relayed()
    client.socket.close(reset: true)
    world.settle { upstream.error != nil && world.admission.count == 0 }
    #expect(upstream.error?.name == "ECONNRESET")
    #expect(try lastRecord(world).reason == "client_reset")
  }

  @Test func aResetOfTheUpstreamIsPassedOn() throws {
    let (world, client, upstream) = try relayed()
    upstream.send([1])
    world.settle(client) { client.received == [1] }
    upstream.close(reset: true)
    world.settle(client) { client.socket.error != nil && world.admission.count == 0 }
    #expect(client.socket.error?.name == "ECONNRESET")
    #expect(try lastRecord(world).reason == "upstream_reset")
  }

  /// A server that answers early and closes resets a client that goes on sending (RFC 9293 §3.10.7.1): what it
  /// had said before is whole, and reaches the client.
  @Test func anEarlyAnswerReachesAClientThatIsStillSending() throws {
    let (world, client, upstream) = try relayed()
    upstream.isReading = false
    client.send(Self.pattern(4_000_000))
    world.settle(client) { world.isStalled(client.socket) && client.unsent > 0 }
    let answer = Self.pattern(100_000)
    upstream.send(answer)
    upstream.endSending()
    upstream.pump()
    // Closed with unread bytes: the kernel sends a reset behind the answer.
    upstream.close()
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(client.received == answer)
    #expect(try lastRecord(world).reason == "upstream_closed")
  }

  /// The kernel tells a reset once, here to a send; it must not look like the end of the stream afterwards.
  @Test func aResetThatASendMeetsIsPassedOn() throws {
    let (world, client, upstream) = try relayed()
    client.socket.isReading = false
    upstream.send(Self.pattern(20_000_000))
    world.settle(client) { world.isStalled(upstream) && upstream.unsent > 0 }
    client.socket.close(reset: true)
    world.settle { upstream.error != nil && world.admission.count == 0 }
    #expect(upstream.error?.name == "ECONNRESET")
    #expect(try lastRecord(world).reason == "client_reset")
  }

  @Test func anIdleConnectionEndsAndABusyOneDoesNot() throws {
    let (world, client, upstream) = try relayed(limits: Limits(idleTimeout: .seconds(60)))
    world.clock.advance(by: .seconds(59))
    client.send([1])
    world.settle(client) { upstream.received == [1] }
    world.clock.advance(by: .seconds(59))
    for _ in 0..<5 { world.worker.turn(waitLimit: 0) }
    #expect(world.admission.count == 1)
    world.clock.advance(by: .seconds(2))
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(try lastRecord(world).reason == "idle_timeout")
    #expect(client.hasCloseNotify)
  }

  @Test func aConnectionEndsAtItsMaximumAge() throws {
    let (world, client, _) = try relayed(limits: Limits(maxConnectionAge: .seconds(100)))
    world.clock.advance(by: .seconds(101))
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(try lastRecord(world).reason == "max_age")
  }

  @Test func aConnectionEndsWithItsCertificate() throws {
    let (world, client, upstream) = try relayed(.shortLived)
    world.clock.advance(by: .seconds(30))
    client.send([1])
    world.settle(client) { upstream.received == [1] }
    #expect(world.admission.count == 1)
    world.clock.advance(by: .seconds(1))
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(try lastRecord(world).action == "connection-revoked")
    #expect(try lastRecord(world).reason == "certificate_expired")
  }

  @Test func aDrainEndsWhatIsStillThere() throws {
    let (world, client, _) = try relayed()
    world.worker.mailbox.post(.drain)
    world.worker.mailbox.post(.endConnections)
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(try lastRecord(world).reason == "drain")
  }
}
