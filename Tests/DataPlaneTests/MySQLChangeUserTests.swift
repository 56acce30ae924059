import EventLoop
import GatewayConfiguration
import Testing

@testable import DataPlane

/// COM_CHANGE_USER, and everything that can come between it and its verdict.
struct MySQLChangeUserTests {
  private static let changed = MySQLWorld.change("orders_ro")
  private static let wanted = MySQLWorld.change("admin")

  /// The server's answer to a change, and the client's to that.
  private func letIn(_ it: MySQLWorld, _ upstream: ScriptedSocket) {
    it.settle { !upstream.received.isEmpty }
    upstream.send(MySQLPacket.frame(MySQLWorld.ok, sequence: 1))
    it.settle { it.client.received == MySQLPacket.frame(MySQLWorld.ok, sequence: 1) }
    _ = upstream.takeReceived()
    it.client.forget()
  }

  private func letInBehind(_ refusal: [UInt8], _ it: MySQLWorld, _ upstream: ScriptedSocket) {
    _ = upstream.takeReceived()
    it.client.forget()
    letIn(it, upstream)
  }

  @Test func aChangeToAnAllowedUserIsItsNewVerdict() throws {
    let it = try MySQLWorld()
    let upstream = try it.relayed()
    it.client.send(MySQLWorld.change("orders_rw"))
    letIn(it, upstream)
    it.client.closeSending()
    upstream.endSending()
    it.settle { it.isOver }
    #expect(it.world.audit.records.last?["countersign.mysql.user"] == "orders_rw")
  }

  @Test func aChangeIsFoundWhereverItIsCut() throws {
    let it = try MySQLWorld()
    let upstream = try it.relayed()
    for cut in 1..<Self.changed.count {
      it.client.send(Array(Self.changed[..<cut]))
      it.turn()
      #expect(upstream.received.isEmpty)
      it.client.send(Array(Self.changed[cut...]))
      letIn(it, upstream)
    }
    it.client.send(Array(Self.wanted[..<7]))
    it.turn()
    it.client.send(Array(Self.wanted[7...]))
    it.settle { it.isOver }
    #expect(upstream.received.isEmpty)
    #expect(it.world.audit.actions.filter { $0 == "connection-allowed" }.count == Self.changed.count)
    #expect(it.world.audit.actions.suffix(2) == ["connection-denied", "connection-revoked"])
    #expect(it.lastError?.code == 1045 && it.lastError?.sequence == 1)
  }

  @Test func nothingGoesOnBeforeTheRecordOfAChangeIsAccepted() throws {
    let it = try MySQLWorld()
    let upstream = try it.relayed()
    it.world.audit.behave(.hold)
    it.client.send(Self.changed + MySQLPacket.frame([0x0e], sequence: 0))
    it.settle { it.world.audit.heldCount == 1 }
    it.client.send(MySQLPacket.frame([0x0e], sequence: 0))
    it.turn()
    #expect(upstream.received.isEmpty)
    it.world.audit.releaseHeld()
    it.settle { !upstream.received.isEmpty }
    it.turn()
    let sent = upstream.takeReceived()
    #expect(MySQLPacket.parse(sent.span).completed?.length == sent.count)
    upstream.send(MySQLPacket.frame(MySQLWorld.ok, sequence: 1))
    it.settle { upstream.received == [1, 0, 0, 0, 0x0e, 1, 0, 0, 0, 0x0e] }
  }

  @Test func aChangeThatCannotBeRecordedEndsTheConnection() throws {
    let it = try MySQLWorld()
    let upstream = try it.relayed()
    it.world.audit.behave(.refuse)
    it.client.send(Self.changed)
    it.settle { it.isOver }
    #expect(upstream.received.isEmpty)
    #expect(it.world.audit.records.last?.reason == "audit_unavailable")
    #expect(it.lastError?.code == 1105 && it.lastError?.sequence == 1)
  }

  @Test func aLateAnswerOfTheLogChangesNothing() throws {
    let it = try MySQLWorld()
    let upstream = try it.relayed()
    it.world.audit.behave(.hold)
    it.client.send(Self.changed)
    it.settle { it.world.audit.heldCount == 1 }
    it.client.hangsUpAtTheEnd = false
    it.world.worker.mailbox.post(.endConnections)
    it.settle { it.client.socket.hasEnded }
    it.world.audit.releaseHeld()
    it.turn()
    #expect(upstream.received.isEmpty && !upstream.isOpen)
    it.client.socket.close()
    it.settle { it.isOver }
    #expect(it.world.audit.actions.last == "connection-closed")
  }

  @Test func aChangeInTheMiddleOfAResultEndsTheConnection() throws {
    let it = try MySQLWorld()
    let upstream = try it.relayed()
    upstream.send([200, 0, 0, 5, 1, 2, 3])
    it.settle { it.client.received.count == 7 }
    it.client.send(Self.changed)
    it.settle { !upstream.received.isEmpty }
    _ = upstream.takeReceived()
    upstream.send(Array(repeating: 7, count: 197))
    it.settle { it.isOver }
    #expect(upstream.received.isEmpty)
    #expect(it.world.audit.actions.last == "upstream-failed")
  }

  /// What a client had its server say may look like questions; its answers never become commands.
  @Test func noAnswerOfTheClientIsACommand() throws {
    let it = try MySQLWorld()
    let upstream = try it.relayed()
    it.client.send(Self.changed)
    it.settle { !upstream.received.isEmpty }
    _ = upstream.takeReceived()
    var sequence: UInt8 = 1
    var answers = 0
    while it.world.admission.count == 1, answers < 300 {
      upstream.send(MySQLPacket.frame([1, 2, 3], sequence: sequence))
      let answer = MySQLPacket.frame(Array(Self.wanted[4...]), sequence: sequence &+ 1)
      it.client.send(answer)
      it.settle { upstream.received == answer || it.isOver }
      #expect(upstream.received.isEmpty || upstream.received[3] != 0)
      _ = upstream.takeReceived()
      sequence &+= 2
      answers += 1
    }
    #expect(it.isOver && answers <= 33)
  }

  @Test func aChangeThatTheServerRefusesLeavesTheVerdictAsItWas() throws {
    let it = try MySQLWorld()
    let upstream = try it.relayed()
    let refusal = MySQLError(code: 1045, state: "28000", message: "no").packet(sequence: 1)
    it.client.send(MySQLWorld.change("orders_rw"))
    it.settle { !upstream.received.isEmpty }
    upstream.send(refusal)
    it.settle { it.client.received == refusal }
    it.client.send(Self.changed)
    letInBehind(refusal, it, upstream)
    it.client.send(MySQLWorld.change("orders_rw"))
    it.settle { !upstream.received.isEmpty }
    upstream.send(refusal)
    it.settle { it.client.received == refusal }
    it.client.closeSending()
    upstream.endSending()
    it.settle { it.isOver }
    #expect(it.world.audit.records.last?["countersign.mysql.user"] == "orders_ro")
  }

  enum End: Sendable, CaseIterable { case upstreamCloses, upstreamResets, clientCloses, drain, deadline }

  @Test(arguments: End.allCases)
  func theEndsWhileTheClientProvesItself(_ end: End) throws {
    let it = try MySQLWorld()
    let upstream = try it.relayed()
    it.client.send(Self.changed)
    it.settle { !upstream.received.isEmpty }
    upstream.send(MySQLPacket.frame(MySQLWorld.plugin, sequence: 1))
    it.settle { it.client.received.count == 4 + MySQLWorld.plugin.count }
    switch end {
    case .upstreamCloses: upstream.close()
    case .upstreamResets: upstream.close(reset: true)
    case .clientCloses: it.client.closeSending()
    case .drain: it.world.worker.mailbox.post(.endConnections)
    case .deadline: it.world.clock.advance(by: .seconds(10))
    }
    it.settle { it.isOver }
    let reasons: [End: String] = [
      .upstreamCloses: "upstream_closed", .upstreamResets: "upstream_reset",
      .clientCloses: "client_closed", .drain: "drain", .deadline: "upstream_timeout",
    ]
    #expect(it.world.audit.records.last?.reason == reasons[end])
    if end == .drain { #expect(it.lastError?.code == 1053 && it.lastError?.sequence == 2) }
  }
}
