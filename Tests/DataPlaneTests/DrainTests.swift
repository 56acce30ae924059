import EventLoop
import Testing

@testable import DataPlane

/// The end of the drain timeout, at moments that clients cannot choose.
struct DrainTests {
  @Test func aRecordOnItsWayDialsNobodyAnyMore() throws {
    let world = try TestWorld()
    world.audit.behave(.hold)
    let client = try world.client(.orders)
    client.hangsUpAtTheEnd = false
    world.settle(client) { world.audit.heldCount == 1 }
    world.worker.mailbox.post(.endConnections)
    world.settle(client) { client.hasCloseNotify }
    world.audit.releaseHeld()
    for _ in 0..<20 {
      world.worker.turn(waitLimit: 0)
      world.upstream.pump()
    }
    #expect(world.upstream.connections.isEmpty)
    #expect(world.audit.actions == ["connection-allowed", "connection-closed"])
    #expect(world.audit.records.last?.reason == "drain")
    // Whoever does not hang up is waited for no longer than anybody else.
    world.clock.advance(by: .seconds(2))
    world.settle { world.admission.count == 0 }
  }

  @Test func whoeverIsTurnedAwayBeforeItIsToldAtTheEnd() throws {
    let world = try TestWorld(maxConnections: 1)
    let first = try world.client(.orders)
    world.settle(first) { world.upstream.connections.count == 1 }
    for _ in 0..<3 {
      let excess = try world.client(.orders)
      world.settle(first, excess) { excess.isOver }
    }
    let count = { world.audit.records.compactMap { $0["countersign.limit.count"] } }
    #expect(count() == ["1"])
    first.closeSending()
    world.upstream.connections[0].endSending()
    world.settle(first) { world.admission.count == 0 }
    world.worker.mailbox.post(.drain)
    world.worker.run()
    #expect(count() == ["1", "2"])
  }
}
