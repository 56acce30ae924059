import EventLoop
import GatewayConfiguration
import Testing

@testable import DataPlane

/// What keeps unauthenticated and excess clients from using the gateway up.
struct LimitTests {
  @Test func aSilentClientEndsWithTheHandshakeTimeout() throws {
    let world = try TestWorld(limits: Limits(handshakeTimeout: .seconds(10)))
    let silent = ScriptedSocket(try StreamSocket.connect(to: world.address))
    world.settle { world.admission.count == 1 }
    world.clock.advance(by: .seconds(9))
    world.worker.turn(waitLimit: 0)
    #expect(world.admission.count == 1)
    world.clock.advance(by: .seconds(1))
    world.settle {
      silent.pump()
      return silent.hasEnded
    }
    #expect(world.audit.actions == ["handshake-failed"])
    #expect(world.audit.records.first?.reason == "timeout")
  }

  @Test func theOldestUnauthenticatedGoesFirst() throws {
    let world = try TestWorld(limits: Limits(maxHandshakes: 2))
    let silent = try (0..<2).map { _ in
      let socket = ScriptedSocket(try StreamSocket.connect(to: world.address))
      let before = world.admission.count
      world.settle { world.admission.count == before + 1 }
      return socket
    }
    let client = try world.client(.orders)
    world.settle(client) { world.upstream.connections.count == 1 }
    silent.forEach { $0.pump() }
    #expect(!silent[0].isOpen)
    #expect(silent[1].isOpen)
    #expect(world.audit.actions.contains("limit-reached"))
    #expect(world.audit.records.first { $0.action == "limit-reached" }?.reason == "limit")
  }

  @Test func excessConnectionsAreTurnedAwayAndRecorded() throws {
    let world = try TestWorld(maxConnections: 1)
    let first = try world.client(.orders)
    world.settle(first) { world.upstream.connections.count == 1 }
    let second = try world.client(.orders)
    world.settle(first, second) { second.isOver }
    #expect(world.audit.actions.last == "limit-reached")
    #expect(world.upstream.connections.count == 1)
    first.closeSending()
    world.upstream.connections[0].endSending()
    world.settle(first) { world.admission.count == 0 }
    let third = try world.client(.orders)
    world.settle(third) { world.upstream.connections.count == 2 }
  }

  static let garbage: [[UInt8]] = [
    Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8), Array(repeating: 0xff, count: 4096),
    [0x16, 0x03, 0x01, 0xff, 0xff], [0x80, 0x2e, 0x01, 0x03, 0x01], [0],
  ]

  @Test(arguments: garbage)
  func garbageIsRefusedAndTheWorkerGoesOn(_ bytes: [UInt8]) throws {
    let world = try TestWorld()
    let hostile = ScriptedSocket(try StreamSocket.connect(to: world.address))
    hostile.send(bytes)
    hostile.endSending()
    world.settle {
      hostile.pump()
      return !hostile.isOpen && world.admission.count == 0
    }
    #expect(world.audit.actions == ["handshake-failed"])
    #expect(["tls_protocol", "client_closed"].contains(world.audit.records.first?.reason))
    let client = try world.client(.orders)
    world.settle(client) { world.upstream.connections.count == 1 }
  }

  @Test func aClientThatHangsUpBeforeItsHandshakeIsRecorded() throws {
    let world = try TestWorld()
    let hasty = ScriptedSocket(try StreamSocket.connect(to: world.address))
    world.settle { world.admission.count == 1 }
    hasty.close()
    world.settle { world.admission.count == 0 }
    #expect(world.audit.records.first?.reason == "client_closed")
  }

  /// Their deadlines are an hour away; time stands still.
  @Test func timersOfThoseWhoAreGoneDoNotPileUp() throws {
    let world = try TestWorld(limits: Limits(handshakeTimeout: .seconds(3600)))
    for _ in 0..<2 * Worker.leastTimersBound {
      let socket = try StreamSocket.connect(to: world.address)
      world.worker.turn(waitLimit: 1)
      socket.close()
      world.worker.turn(waitLimit: 1)
    }
    #expect((1...Worker.leastTimersBound).contains(world.worker.timers.count))
  }
}
