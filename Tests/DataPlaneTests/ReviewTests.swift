import AccessPolicy
import DataPlane
import EventLoop
import GatewayConfiguration
import Testing

/// What becomes of connections when what they were let in by changes, where the order of events decides.
struct ReviewTests {
  private static let nobody = [TestPolicy.rule("nobody", .deny, "worker/**")]
  private static let both = [
    TestPolicy.allowOrders, TestPolicy.rule("billing-may", .allow, "worker/billing"),
  ]

  @Test func whoLosesIsEndedAndWhoDoesNotIsLeftAlone() throws {
    let world = try TestWorld(rules: Self.both)
    let clients = try world.live(.orders, .billing)
    try world.adopt("second", rules: [TestPolicy.rule("renamed", .allow, "worker/orders")])
    world.settle(clients[0], clients[1]) { clients[1].isOver }
    #expect(clients[1].hasCloseNotify)
    let record = try #require(world.audit.records.last)
    #expect(record.action == "connection-revoked" && record.reason == "policy_changed")
    #expect(record["user.name"] == "worker/billing" && record["rule.name"] == "billing-may")
    #expect(
      record["countersign.change"] == "the rule 'billing-may' does not let it in any more, and no other does")
    #expect(record["countersign.judged_again.verdict"] == "deny")
    world.exchange(clients[0], 0)
    clients[0].closeSending()
    world.upstream.connections[0].endSending()
    world.settle(clients[0]) { world.admission.count == 0 }
    // It went on by another rule, of another snapshot.
    #expect(world.audit.records.last?["rule.name"] == "renamed")
    #expect(world.audit.records.last?["rule.version"] == "second")
  }

  @Test func whoIsNotJudgedYetIsJudgedByWhatHoldsThen() throws {
    let world = try TestWorld()
    let client = try world.client(.orders)
    world.settle { world.admission.count == 1 }
    try world.adopt("second", rules: Self.nobody)
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.actions == ["connection-denied"])
    #expect(world.audit.records[0]["rule.version"] == "second")
    #expect(world.upstream.connections.isEmpty)
  }

  @Test func nobodyIsDialledForAVerdictThatHoldsNoMore() throws {
    let world = try TestWorld()
    world.audit.behave(.hold)
    let client = try world.client(.orders)
    client.hangsUpAtTheEnd = false
    world.settle(client) { world.audit.heldCount == 1 }
    try world.adopt("second", rules: Self.nobody)
    world.settle(client) { world.audit.actions.last == "connection-revoked" }
    world.audit.releaseHeld()
    for _ in 0..<10 {
      world.worker.turn(waitLimit: 0)
      world.upstream.pump()
    }
    #expect(world.upstream.connections.isEmpty)
    client.socket.close()
    world.settle(client) { world.admission.count == 0 }
  }

  @Test func aDialIsGivenUp() throws {
    let silent = try HangingUpstream()
    let world = try TestWorld(upstreamAddress: silent.address)
    let client = try world.client(.orders)
    world.settle(client) { world.audit.actions == ["connection-allowed"] }
    try world.adopt("second", rules: Self.nobody)
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.actions == ["connection-allowed", "connection-revoked"])
  }

  @Test func theLastOfTwoSnapshotsHolds() throws {
    let world = try TestWorld(rules: Self.both)
    let clients = try world.live(.orders, .billing)
    try world.adopt("second", rules: Self.nobody)
    try world.adopt("third", rules: [TestPolicy.allowOrders])
    world.settle(clients[0], clients[1]) { clients[1].isOver }
    world.exchange(clients[0], 0)
    #expect(world.audit.actions.filter { $0 == "connection-revoked" }.count == 1)
  }

  @Test func aClientThatReadsNothingHoldsNothingUp() throws {
    let world = try TestWorld()
    let client = try #require(try world.live(.orders).first)
    client.socket.isReading = false
    world.upstream.connections[0].send([UInt8](repeating: 7, count: 16 << 20))
    world.settle(client) { world.isStalled(world.upstream.connections[0]) }
    try world.adopt("second", rules: Self.nobody)
    world.settle(client) { !world.upstream.connections[0].isOpen }
    #expect(world.audit.actions.last == "connection-revoked")
    #expect(world.admission.count == 1)
    world.clock.advance(by: .seconds(2))
    world.settle(client) { world.admission.count == 0 }
    #expect(world.audit.actions.count == 2)
  }

  // MARK: Trust

  @Test func whoIsNotTrustedAnyMoreIsEnded() throws {
    let world = try TestWorld()
    let client = try #require(try world.live(.orders).first)
    // The same anchors and others beside them: it is verified anew, and stays.
    let more = try world.trusting(world.pki.otherAuthorityPEM + world.pki.authorityPEM)
    try world.adopt("second", listener: more)
    world.exchange(client, 0)
    let stranger = try #require(try world.live(.stranger).first)
    try world.adopt("third")
    world.settle(client, stranger) { stranger.isOver }
    #expect(world.audit.records.last?.reason == "trust_changed")
    world.exchange(client, 0)
    try world.adopt("fourth", listener: try world.trusting(world.pki.otherAuthorityPEM))
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.records.last?.reason == "trust_changed")
    #expect(
      world.audit.records.last?["countersign.change"]?.contains("unable to get local issuer certificate")
        == true)
  }

  /// The handshake was verified by what held then; nobody is judged by it.
  @Test func aHandshakeUnderOldTrustIsVerifiedAgainBeforeTheVerdict() throws {
    let world = try TestWorld(wireProtocol: .postgres)
    let client = try world.client(.orders, asking: PostgresWire.sslRequest)
    world.settle(client) { client.isEstablished }
    try world.adopt("second", listener: try world.trusting(world.pki.otherAuthorityPEM))
    for _ in 0..<5 { world.worker.turn(waitLimit: 0) }
    client.send(PostgresWire.startup())
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.actions == ["handshake-failed"])
    #expect(world.audit.records[0].reason == "certificate_untrusted")
    #expect(PostgresWire.state(client.received) == "28000")
    #expect(world.upstream.connections.isEmpty)
  }

  // MARK: Protocols

  @Test func aPostgresClientHearsWhyAndIsNotCancelledAnyMore() throws {
    let world = try TestWorld(wireProtocol: .postgres)
    let client = try PostgresConnectionTests.established(world)
    client.forget()
    client.hangsUpAtTheEnd = false
    #expect(world.environment.postgresSessions.count == 1)
    try world.adopt("second", rules: Self.nobody)
    world.settle(client) { client.hasCloseNotify }
    #expect(PostgresWire.state(client.received) == "28000")
    #expect(world.admission.count == 1)
    #expect(world.environment.postgresSessions.count == 0)
    client.socket.close()
    world.settle(client) { world.admission.count == 0 }
  }

  @Test func aMySQLClientHearsWhyWhileItProvesItself() throws {
    let it = try MySQLWorld()
    _ = try it.authenticating()
    try it.world.adopt("second", rules: Self.nobody)
    it.settle { it.client.isOver }
    #expect(it.lastError?.code == 1045)
    #expect(it.world.audit.records.last?.reason == "policy_changed")
  }

  /// In the place of an answer where one is awaited or whole, and never within one.
  @Test(
    arguments: [
      ([], 1045), ([0x03, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00], 1045), ([0x01, 0x00, 0x00, 0x01, 0x02], nil),
      ([0x05, 0x00, 0x00, 0x01, 0x00], nil), ([0x05, 0x00], nil),
      ([0x01, 0x00, 0x00, 0x01, 0x02, 0x05, 0x00, 0x00, 0x09, 0xfe, 0x00, 0x00, 0x02, 0x00], 1045),
    ] as [([UInt8], Int?)])
  func aMySQLClientHearsWhyBetweenAnswers(_ answer: [UInt8], _ code: Int?) throws {
    let it = try MySQLWorld()
    let upstream = try it.relayed()
    let command = MySQLPacket.frame([0x03, 0x31], sequence: 0)
    it.client.send(command)
    it.settle { upstream.received == command }
    upstream.send(answer)
    it.settle { it.client.received == answer }
    it.client.forget()
    try it.world.adopt("second", rules: Self.nobody)
    it.settle { it.client.isOver }
    #expect(it.lastError?.code == code)
    #expect(code == nil || it.lastError?.sequence == 1)
    #expect(code != nil || it.client.received.isEmpty)
  }

  @Test func aUserThatAClientIsBecomingIsJudgedAgainToo() throws {
    let it = try MySQLWorld()
    let upstream = try it.relayed()
    it.world.audit.behave(.hold)
    it.client.send(MySQLWorld.change("orders_rw"))
    it.settle { it.world.audit.heldCount == 1 }
    var rule = MySQLWorld.rule
    rule.when = [TestPolicy.plain(.mysqlUser, "orders_ro"), TestPolicy.plain(.mysqlDatabase, "orders")]
    it.client.hangsUpAtTheEnd = false
    try it.world.adopt("second", rules: [rule])
    it.settle { it.world.audit.actions.last == "connection-revoked" }
    it.world.audit.releaseHeld()
    it.turn()
    #expect(upstream.received.isEmpty)
    it.client.socket.close()
    it.settle { it.isOver }
  }
}
