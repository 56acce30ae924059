import EventLoop
import Testing

@testable import DataPlane

/// Nobody gets more than a turn.
struct TurnTests {
  /// A connection that has more to move waits in the list once, whichever of its directions and events put it
  /// there: each entry would put itself off again, and the turns would grow.
  @Test func aBusyConnectionWaitsOnceForItsNextTurn() throws {
    let world = try TestWorld()
    let client = try world.client(.orders)
    world.settle(client) { client.isEstablished && world.upstream.connections.count == 1 }
    let upstream = world.upstream.connections[0]
    let bytes = [UInt8](repeating: 7, count: 4_000_000)
    client.send(bytes)
    upstream.send(bytes)
    var most = 0
    world.settle(client) {
      most = max(most, world.worker.deferred.count)
      return upstream.received.count == bytes.count && client.received.count == bytes.count
    }
    #expect(most == 1)
  }
}
