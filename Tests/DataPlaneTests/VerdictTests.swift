import AccessPolicy
import DataPlane
import EventLoop
import GatewayConfiguration
import Testing

/// From the first byte to the verdict: who gets an upstream, and what the log says of the others.
struct VerdictTests {
  @Test func anAllowedClientGetsItsUpstream() throws {
    let world = try TestWorld()
    let client = try world.client(.orders)
    client.send(Array("ping".utf8))
    world.settle(client) { world.upstream.connections.first?.received == Array("ping".utf8) }
    world.upstream.connections[0].send(Array("pong".utf8))
    world.settle(client) { client.received == Array("pong".utf8) }
    let record = try #require(world.audit.records.first)
    #expect(record.action == "connection-allowed")
    #expect(record["user.name"] == "worker/orders")
    #expect(record["rule.name"] == "orders-may")
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let identity: TestPKI.Identity?
    let action: String
    let reason: String
    var testDescription: String { reason }
  }

  static let refusals = [
    Refusal(identity: .billing, action: "connection-denied", reason: "default"),
    Refusal(identity: .unmapped, action: "connection-denied", reason: "caller_unmapped"),
    Refusal(identity: .stranger, action: "handshake-failed", reason: "certificate_untrusted"),
    Refusal(identity: nil, action: "handshake-failed", reason: "certificate_missing"),
  ]

  @Test(arguments: refusals)
  func aRefusedClientNeverReachesTheUpstream(_ refusal: Refusal) throws {
    let world = try TestWorld()
    let client = try world.client(refusal.identity)
    client.send(Array("ping".utf8))
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.actions == [refusal.action])
    #expect(world.audit.records.first?.reason == refusal.reason)
    #expect(world.upstream.connections.isEmpty)
    #expect(client.received.isEmpty)
    #expect(client.hasCloseNotify || client.failure != nil)
  }

  @Test func theUpstreamIsNotDialledWhileTheRecordIsOnItsWay() throws {
    let world = try TestWorld()
    world.audit.behave(.hold)
    let client = try world.client(.orders)
    world.settle(client) { world.audit.heldCount == 1 }
    for _ in 0..<20 {
      world.worker.turn(waitLimit: 0)
      world.upstream.pump()
    }
    #expect(world.upstream.connections.isEmpty)
    world.audit.releaseHeld()
    world.settle(client) { world.upstream.connections.count == 1 }
  }

  @Test func aClientWhoseRecordIsRefusedIsRefused() throws {
    let world = try TestWorld()
    world.audit.behave(.refuse)
    let client = try world.client(.orders)
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.upstream.connections.isEmpty)
    #expect(world.audit.records.first?.reason == "audit_unavailable")
  }

  /// As `allow_unlogged` has it; the end of the connection says that its beginning may be missing.
  @Test func aClientWhoseRecordIsWaivedGetsItsUpstream() throws {
    let world = try TestWorld()
    world.audit.behave(.waive)
    let client = try world.client(.orders)
    client.send(Array("ping".utf8))
    world.settle(client) { world.upstream.connections.first?.received == Array("ping".utf8) }
    world.upstream.connections[0].close()
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.actions == ["connection-closed"])
    #expect(world.audit.records.last?["countersign.unlogged"] == "1")
  }

  @Test func aRecordThatNobodyAnswersForEndsInARefusal() throws {
    let world = try TestWorld()
    world.audit.behave(.hold)
    let client = try world.client(.orders)
    world.settle(client) { world.audit.heldCount == 1 }
    world.clock.advance(by: .seconds(11))
    world.settle(client) { client.isOver && world.admission.count == 0 }
    world.audit.releaseHeld()
    world.worker.turn(waitLimit: 0)
    #expect(world.upstream.connections.isEmpty)
  }

  @Test func anUnreachableUpstreamIsTold() throws {
    let world = try TestWorld()
    world.upstream.stopListening()
    let client = try world.client(.orders)
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.actions == ["connection-allowed", "upstream-failed"])
    #expect(world.audit.records.last?.reason == "upstream_unreachable")
    #expect(world.audit.records.last?["error.code"] == "ECONNREFUSED")
  }

  @Test func aNameThatIsNotResolvedIsUnreachable() throws {
    let world = try TestWorld(upstreamAddress: .name("nowhere.invalid", port: 1))
    let client = try world.client(.orders)
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.records.last?["error.message"]?.contains("not resolved") == true)
  }

  @Test func theConnectTimeoutEndsADialThatNobodyAnswers() throws {
    // A Unix socket whose backlog is full refuses at once; an address of TEST-NET-1 (RFC 5737) answers never,
    // or is unreachable at once where there is no route: both are failures of the upstream.
    let silent = SocketAddress.ip(IPAddress(v4: 0xc000_0201), port: 9)
    let world = try TestWorld(upstreamAddress: silent)
    let client = try world.client(.orders)
    world.settle(client) { world.audit.actions.first == "connection-allowed" }
    world.clock.advance(by: .seconds(6))
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.actions == ["connection-allowed", "upstream-failed"])
  }
}
