import AccessPolicy
import DataPlane
import EventLoop
import GatewayConfiguration
import Testing

/// What becomes of connections whose listener is taken away, moves, or means something else.
struct ReviewListenerTests {
  private static let nobody = [TestPolicy.rule("nobody", .deny, "worker/**")]

  private static func atFront(expires: Timestamp? = nil) -> RuleEntry {
    TestPolicy.rule("at-front", .allow, "worker/orders", listeners: ["front"], expires: expires)
  }

  private static func isRefused(at address: NetworkAddress) -> Bool {
    // On loopback the kernel answers within the call.
    guard let socket = try? StreamSocket.connect(to: address) else { return true }
    let error = socket.connectError()
    socket.close()
    return error != nil
  }

  @Test func theConnectionsOfARemovedListenerDrain() throws {
    let world = try TestWorld(rules: [Self.atFront()])
    let client = try #require(try world.live(.orders).first)
    // What let it in is gone with the listener; that alone does not end it.
    try world.adopt("second", rules: [], listener: .some(nil), drainTimeout: .seconds(5))
    world.settle(client) { Self.isRefused(at: world.address) }
    world.exchange(client, 0)
    world.clock.advance(by: .seconds(5))
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.records.last?.reason == "drain")
  }

  @Test func aRuleThatDeniesHoldsForTheConnectionsOfARemovedListener() throws {
    let world = try TestWorld()
    let client = try #require(try world.live(.orders).first)
    try world.adopt("second", rules: Self.nobody, listener: .some(nil))
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.records.last?.reason == "policy_changed")
  }

  @Test func theConnectionsOfAListenerThatSpeaksSomethingElseDrain() throws {
    let world = try TestWorld()
    let client = try #require(try world.live(.orders).first)
    let other = ListenerSnapshot(
      name: "front", wireProtocol: .postgres, address: world.listener.address, tls: world.listener.tls,
      upstream: world.listener.upstream, limits: world.limits)
    try world.adopt("second", listener: other, drainTimeout: .seconds(5))
    world.exchange(client, 0)
    let postgres = try PostgresConnectionTests.established(world)
    world.clock.advance(by: .seconds(5))
    world.settle(client, postgres) { client.isOver && world.admission.count == 1 }
    #expect(world.audit.records.last?.reason == "drain")
    postgres.closeSending()
    world.upstream.connections[1].endSending()
    world.settle(postgres) { world.admission.count == 0 }
  }

  @Test func aRuleOfAllListenersIsLostAtARemovedOneToo() throws {
    let world = try TestWorld()
    let client = try #require(try world.live(.orders).first)
    try world.adopt("second", rules: [], listener: .some(nil))
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.records.last?.reason == "policy_changed")
  }

  @Test func aRuleThatEndsEndsTheConnectionsOfARemovedListener() throws {
    let end = Timestamp(seconds: TestPKI.now.seconds + 3)
    let world = try TestWorld(rules: [Self.atFront(expires: end)])
    let client = try #require(try world.live(.orders).first)
    try world.adopt("second", rules: [], listener: .some(nil))
    world.exchange(client, 0)
    world.clock.advance(by: .seconds(3))
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.records.last?.action == "connection-revoked")
  }

  /// Whoever came in before a listener moved is judged by what its name means now, as often as that changes.
  @Test(arguments: [false, true]) func aMovedListenersConnectionsLoseTheirRule(isAtOnce: Bool) throws {
    let world = try TestWorld(rules: [Self.atFront()])
    let client = try #require(try world.live(.orders).first)
    if !isAtOnce {
      try world.adopt("second", rules: [Self.atFront()], kept: false)
      world.exchange(client, 0)
    }
    try world.adopt("third", rules: [], kept: false)
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.records.last?.reason == "policy_changed")
  }

  @Test func aMovedListenersConnectionsLoseTheirTrust() throws {
    let world = try TestWorld()
    let client = try #require(try world.live(.orders).first)
    try world.adopt("second", kept: false)
    world.exchange(client, 0)
    try world.adopt("third", listener: try world.trusting(world.pki.otherAuthorityPEM), kept: false)
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.records.last?.reason == "trust_changed")
  }

  /// What may be done at the listener's name now was never said of where this one leads.
  @Test func nobodyIsJudgedAtAListenerThatIsNoMore() throws {
    let world = try TestWorld(rules: [Self.atFront()])
    let client = try world.client(.billing)
    world.settle { world.admission.count == 1 }
    try world.adopt("second", rules: [TestPolicy.rule("all", .allow, "worker/**")], kept: false)
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.actions == ["handshake-failed"])
    #expect(world.audit.records[0].reason == "timeout")
    #expect(world.upstream.connections.isEmpty)
  }

  @Test func nobodyBecomesAnotherAtAListenerThatIsNoMore() throws {
    let it = try MySQLWorld()
    let upstream = try it.relayed()
    try it.world.adopt("second", rules: [MySQLWorld.rule], kept: false)
    it.turn()
    it.client.send(MySQLWorld.change("orders_rw"))
    it.settle { it.isOver }
    #expect(upstream.received.isEmpty)
    let record = try #require(it.world.audit.records.last)
    #expect(record.action == "connection-revoked")
    #expect(record["countersign.change"]?.contains("COM_CHANGE_USER is refused") == true)
  }
}
