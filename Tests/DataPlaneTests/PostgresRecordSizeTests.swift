import DataPlane
import GatewayConfiguration
import Testing

/// How large the TLS records are that clients of Postgres get.
struct PostgresRecordSizeTests {
  /// See ``ListenerSnapshot/recordSize``: libpq waits for the socket with the rest of a larger record in hand.
  @Test func recordsAreOfTheSizeThatLibpqTakesWhole() throws {
    let world = try TestWorld(wireProtocol: .postgres)
    let client = try PostgresConnectionTests.established(world)
    let rows = [UInt8](repeating: 7, count: 300_000)
    world.upstream.connections[0].send(rows)
    world.settle(client) { client.received.count == PostgresWire.welcome.count + rows.count }
    #expect(client.largestRecord == 8192)
  }
}
