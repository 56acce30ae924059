import AccessPolicy
import EventLoop
import GatewayConfiguration
import Testing

@testable import DataPlane

/// A MySQL client and its server, one packet at a time.
struct MySQLWorld {
  let world: TestWorld
  let client: TestClient

  static let ok: [UInt8] = [0, 0, 0, 2, 0, 0, 0]
  static let plugin: [UInt8] = [0xfe] + Array("mysql_native_password\0".utf8) + Array(1...20) + [0]
  static let rule: RuleEntry = {
    var rule = TestPolicy.allowOrders
    rule.callers = ["worker", "early", "late"].map { Located("\($0)/orders", at: rule.name.location) }
    var users = TestPolicy.plain(.mysqlUser, "orders_ro")
    users.alternatives += TestPolicy.plain(.mysqlUser, "orders_rw").alternatives
    rule.when = [users, TestPolicy.plain(.mysqlDatabase, "orders")]
    return rule
  }()

  /// A client that has said who it is.
  init(
    limits: Limits = Limits(), next: [SocketAddress] = [], callers: [CallerEntry] = TestPolicy.workers
  ) throws {
    world = try TestWorld(
      limits: limits, rules: [Self.rule], wireProtocol: .mysql, nextAddresses: next, callers: callers)
    client = try Self.client(world)
    client.send(MySQLSample.response())
  }

  static func client(_ world: TestWorld) throws -> TestClient {
    var request: [UInt8] = []
    request.appendLittle(MySQLCapabilities.offered.rawValue, 4)
    request += Array(repeating: 0, count: 28)
    return try TestClient(
      to: world.address, pki: world.pki, identity: .orders,
      tlsRequest: MySQLPacket.frame(request, sequence: 1))
  }

  func settle(until reached: () -> Bool) { world.settle(client, until: reached) }

  /// Turns everything some times, so that what can happen has happened.
  func turn() {
    for _ in 0..<10 {
      world.worker.turn(waitLimit: 1)
      world.upstream.pump()
      client.pump()
    }
  }

  /// - Returns: the server's end, as soon as it was dialled.
  func dialled() throws -> ScriptedSocket {
    settle { world.upstream.connections.count == 1 }
    return try #require(world.upstream.connections.first)
  }

  /// The server has greeted and got the client's name.
  func authenticating() throws -> ScriptedSocket {
    let upstream = try dialled()
    upstream.send(MySQLSample.greeting("10.11.6-MariaDB"))
    settle { !upstream.received.isEmpty }
    #expect(MySQLPacket.parse(upstream.takeReceived().span).completed?.value.sequence == 1)
    return upstream
  }

  /// The client is in.
  func relayed() throws -> ScriptedSocket {
    let upstream = try authenticating()
    upstream.send(MySQLPacket.frame(Self.plugin, sequence: 2))
    settle { client.received.count == 4 + Self.plugin.count }
    client.send(MySQLPacket.frame(Array(1...20), sequence: 4))
    settle { upstream.received.count == 24 }
    upstream.send(MySQLPacket.frame(Self.ok, sequence: 4))
    settle { client.received.count == 8 + Self.plugin.count + Self.ok.count }
    #expect(MySQLPacket.frame(Self.ok, sequence: 5) == Array(client.received.suffix(11)))
    _ = upstream.takeReceived()
    client.forget()
    return upstream
  }

  /// The packet that asks for another user, as a client sends it.
  static func change(_ user: String, database: String = "orders") -> [UInt8] {
    var payload: [UInt8] = [0x11] + user.utf8 + [0, 0] + database.utf8 + [0, 45, 0]
    payload += "mysql_native_password\0".utf8
    payload.append(0)
    return MySQLPacket.frame(payload, sequence: 0)
  }

  /// The error that the client got last, with the sequence of its packet.
  var lastError: (sequence: UInt8, code: Int)? {
    var rest = client.received[...]
    while rest.count >= 4 {
      let length = Int(rest[rest.startIndex]) | Int(rest[rest.startIndex + 1]) << 8
      let packet = rest.prefix(4 + length)
      rest = rest.dropFirst(4 + length)
      guard rest.isEmpty, length > 3, packet[packet.startIndex + 4] == 0xff else { continue }
      let code = Int(packet[packet.startIndex + 5]) | Int(packet[packet.startIndex + 6]) << 8
      return (packet[packet.startIndex + 3], code)
    }
    return nil
  }

  /// The connection has given everything back.
  var isOver: Bool { world.admission.count == 0 }
}
