import EventLoop
import GatewayConfiguration
import Testing

@testable import DataPlane

/// The order in which things happen while a MySQL client is let in.
struct MySQLConnectionTests {
  @Test func packetsAreNumberedForEachSide() throws {
    let it = try MySQLWorld()
    let upstream = try it.relayed()
    it.client.send(MySQLPacket.frame([0x0e], sequence: 0))
    it.settle { upstream.received == [1, 0, 0, 0, 0x0e] }
    #expect(it.world.audit.actions == ["connection-allowed"])
  }

  @Test func aCommandThatComesTooEarlyWaitsForTheServer() throws {
    let it = try MySQLWorld()
    it.client.send(MySQLPacket.frame([0x0e], sequence: 0))
    let upstream = try it.authenticating()
    it.turn()
    #expect(upstream.received.isEmpty)
    upstream.send(MySQLPacket.frame(MySQLWorld.ok, sequence: 2))
    it.settle { upstream.received == [1, 0, 0, 0, 0x0e] }
  }

  /// The client's own packets have gone there, which another server must not get.
  @Test func noOtherAddressIsTriedOnceTheClientAuthenticates() throws {
    let second = try TestUpstream()
    let it = try MySQLWorld(next: [second.address])
    let upstream = try it.authenticating()
    upstream.close()
    it.settle { it.isOver }
    second.pump()
    #expect(second.connections.isEmpty)
    #expect(it.lastError?.code == 1105 && it.lastError?.sequence == 3)
    #expect(it.world.audit.actions == ["connection-allowed", "upstream-failed"])
  }

  @Test func anotherAddressIsTriedWhereTheFirstOneRefusesToGreet() throws {
    let second = try TestUpstream()
    let it = try MySQLWorld(next: [second.address])
    let upstream = try it.dialled()
    upstream.send(MySQLError(code: 1040, state: "08004", message: "no").packet(sequence: 0))
    it.settle {
      second.pump()
      return second.connections.count == 1
    }
    second.connections[0].send(MySQLSample.greeting("8.0.36"))
    it.settle {
      second.pump()
      return !second.connections[0].received.isEmpty
    }
  }

  enum Stage: Sendable, CaseIterable { case dialled, authenticating, asked }

  private func reach(_ stage: Stage, _ it: MySQLWorld) throws -> ScriptedSocket {
    switch stage {
    case .dialled: return try it.dialled()
    case .authenticating: return try it.authenticating()
    case .asked:
      let upstream = try it.authenticating()
      upstream.send(MySQLPacket.frame(MySQLWorld.plugin, sequence: 2))
      it.settle { !it.client.received.isEmpty }
      return upstream
    }
  }

  @Test(arguments: Stage.allCases, [true, false])
  func aClientThatGoesTakesItsUpstreamAlong(_ stage: Stage, _ reset: Bool) throws {
    let it = try MySQLWorld()
    let upstream = try reach(stage, it)
    if reset { it.client.socket.close(reset: true) } else { it.client.closeSending() }
    if !reset, stage != .asked {
      // It is heard when it has its turn.
      it.turn()
      if stage == .dialled { upstream.send(MySQLSample.greeting("8.0.36")) }
      it.settle { !upstream.received.isEmpty || stage == .authenticating }
      upstream.send(MySQLPacket.frame(MySQLWorld.plugin, sequence: 2))
    }
    it.settle { it.isOver && !upstream.isOpen }
    #expect(it.world.audit.actions == ["connection-allowed", "connection-closed"])
    #expect(it.world.audit.records.last?.reason == (reset ? "client_reset" : "client_closed"))
  }

  @Test(arguments: Stage.allCases)
  func aDrainIsTold(_ stage: Stage) throws {
    let it = try MySQLWorld()
    _ = try reach(stage, it)
    it.world.worker.mailbox.post(.endConnections)
    it.settle { it.isOver }
    #expect(it.lastError?.code == 1053 && it.lastError?.sequence == (stage == .asked ? 4 : 3))
    #expect(it.world.audit.records.last?.reason == "drain")
  }

  @Test(arguments: Stage.allCases)
  func eachStageHasItsEnd(_ stage: Stage) throws {
    let it = try MySQLWorld()
    _ = try reach(stage, it)
    it.world.clock.advance(by: .seconds(stage == .dialled ? 5 : 10))
    it.settle { it.isOver }
    #expect(it.lastError?.code == 1105)
    #expect(it.world.audit.records.last?.reason == "upstream_timeout")
    let message = try #require(it.world.audit.records.last?["error.message"])
    #expect(message.contains(stage == .dialled ? "connect_timeout" : "handshake_timeout"))
  }

  @Test func aPacketOutOfTurnEndsItOnce() throws {
    let it = try MySQLWorld()
    let upstream = try reach(.asked, it)
    it.client.send(MySQLPacket.frame([1], sequence: 9))
    it.settle { it.isOver && !upstream.isOpen }
    #expect(upstream.received.isEmpty)
    #expect(it.world.audit.actions == ["connection-allowed", "upstream-failed"])
  }

  /// Both sides at once: the second mistake must not end what has ended.
  @Test func mistakesOfBothSidesEndItOnce() throws {
    let it = try MySQLWorld()
    let upstream = try reach(.asked, it)
    it.client.send(MySQLPacket.frame([1], sequence: 4) + MySQLPacket.frame([1], sequence: 9))
    it.settle { !upstream.received.isEmpty }
    upstream.send(MySQLPacket.frame([1, 2], sequence: 4) + MySQLPacket.frame(MySQLWorld.ok, sequence: 9))
    it.settle { it.isOver }
    #expect(it.world.audit.actions == ["connection-allowed", "upstream-failed"])
    #expect(it.lastError?.code == 1105)
  }
}
