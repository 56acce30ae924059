import AccessPolicy
import DataPlane
import EventLoop
import GatewayConfiguration
import Testing

/// Time alone ends connections, at its moment and by the wall clock, which people set.
struct ReviewTimeTests {
  private static func expiring(in seconds: Int64) -> RuleEntry {
    TestPolicy.rule(
      "orders-may", .allow, "worker/orders", expires: Timestamp(seconds: TestPKI.now.seconds + seconds))
  }

  private func turn(_ world: TestWorld, _ client: TestClient) {
    for _ in 0..<5 {
      world.worker.turn(waitLimit: 0)
      client.pump()
    }
  }

  @Test func aRuleEndsItsConnectionsAtItsMoment() throws {
    let world = try TestWorld(rules: [Self.expiring(in: 100)])
    let client = try #require(try world.live(.orders).first)
    world.clock.advance(by: .milliseconds(99_999))
    turn(world, client)
    #expect(!client.isOver)
    world.clock.advance(by: .milliseconds(1))
    world.settle(client) { client.isOver && world.admission.count == 0 }
    let record = try #require(world.audit.records.last)
    #expect(record.action == "connection-revoked" && record.reason == "rule_expired")
    #expect(
      record["countersign.change"]?.hasPrefix("the rule 'orders-may' that let it in expired at 20") == true)
  }

  /// One that allows ends, another one allows: nothing happens, and the next end is waited for.
  @Test func aConnectionGoesOnByAnotherRule() throws {
    let later = TestPolicy.rule(
      "z-later", .allow, "worker/orders", expires: Timestamp(seconds: TestPKI.now.seconds + 200))
    let world = try TestWorld(rules: [Self.expiring(in: 100), later])
    let client = try #require(try world.live(.orders).first)
    world.clock.advance(by: .seconds(150))
    turn(world, client)
    #expect(!client.isOver)
    world.clock.advance(by: .seconds(50))
    world.settle(client) { client.isOver }
    #expect(world.audit.records.last?["rule.name"] == "z-later")
  }

  @Test func aWindowOfTimeEndsItsConnections() throws {
    // The clock begins at 08:00:00Z on a Friday.
    let window = Condition(
      field: .time,
      alternatives: [
        Located(
          .window(TimeWindow(after: nil, before: 8 * 60 + 2, days: [], zone: "UTC")),
          at: SourceLocation(file: "test.yaml", line: 9))
      ], location: SourceLocation(file: "test.yaml", line: 9))
    let world = try TestWorld(rules: [TestPolicy.rule("early", .allow, "worker/orders", when: [window])])
    let client = try #require(try world.live(.orders).first)
    world.clock.advance(by: .seconds(119))
    turn(world, client)
    #expect(!client.isOver)
    world.clock.advance(by: .seconds(1))
    world.settle(client) { client.isOver }
    #expect(world.audit.records.last?.reason == "rule_expired")
    #expect(
      world.audit.records.last?["countersign.change"]
        == "the time at which the rule 'early' lets it in is over")
  }

  @Test func aCertificateEndsItsConnectionWhileTheGatewayDrains() throws {
    let world = try TestWorld()
    let client = try #require(try world.live(.shortLived).first)
    world.worker.mailbox.post(.drain)
    world.clock.advance(by: .seconds(30))
    turn(world, client)
    #expect(!client.isOver, "notAfter is the last valid second")
    world.clock.advance(by: .seconds(1))
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.records.last?.reason == "certificate_expired")
  }

  @Test func aCertificateEndsAConnectionWhoseRecordIsOnItsWay() throws {
    let world = try TestWorld(limits: Limits(handshakeTimeout: .seconds(60)))
    world.audit.behave(.hold)
    let client = try world.client(.shortLived)
    world.settle(client) { world.audit.heldCount == 1 }
    world.clock.advance(by: .seconds(31))
    world.settle(client) { client.isOver }
    #expect(world.audit.records.last?.reason == "certificate_expired")
    world.audit.releaseHeld()
  }

  /// The moment comes while the connection is being looked at, behind the verdict and before the next look is set.
  @Test func aMomentThatPassesMeanwhileIsNotLost() throws {
    let world = try TestWorld(rules: [Self.expiring(in: 100)])
    let client = try #require(try world.live(.orders).first)
    world.clock.advance(by: .nanoseconds(99_999_999_999))
    turn(world, client)
    world.clock.tick(by: 1)
    world.worker.mailbox.post(.clockWasSet)
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.records.last?.reason == "rule_expired")
  }

  @Test func aClockThatIsSetForwardEndsWhatIsOver() throws {
    let world = try TestWorld(rules: [Self.expiring(in: 7200)])
    let client = try #require(try world.live(.orders).first)
    world.clock.setWall(by: .seconds(7200))
    world.worker.mailbox.post(.clockWasSet)
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(world.audit.records.last?.reason == "rule_expired")
  }

  @Test func aClockThatIsSetBackGivesTimeBack() throws {
    let world = try TestWorld(rules: [Self.expiring(in: 100)])
    let client = try #require(try world.live(.orders).first)
    world.clock.setWall(by: .seconds(-3600))
    world.worker.mailbox.post(.clockWasSet)
    turn(world, client)
    world.clock.advance(by: .seconds(3500))
    turn(world, client)
    #expect(!client.isOver)
    // And forward again: the moment is what it always was.
    world.clock.setWall(by: .seconds(199))
    world.worker.mailbox.post(.clockWasSet)
    turn(world, client)
    #expect(!client.isOver)
    world.clock.advance(by: .seconds(1))
    world.settle(client) { client.isOver }
    #expect(world.audit.records.last?.reason == "rule_expired")
  }

  /// A limit that was shortened holds for those who are there.
  @Test func limitsFollowForLiveConnections() throws {
    let world = try TestWorld()
    let client = try #require(try world.live(.orders).first)
    var limits = Limits()
    limits.maxConnectionAge = .seconds(60)
    try world.adopt(
      "second",
      listener: ListenerSnapshot(
        name: "front", address: world.listener.address, tls: world.listener.tls,
        upstream: world.listener.upstream, limits: limits))
    turn(world, client)
    world.clock.advance(by: .seconds(60))
    world.settle(client) { client.isOver }
    #expect(world.audit.records.last?.reason == "max_age")
  }
}
