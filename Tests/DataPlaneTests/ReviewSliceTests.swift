import AccessPolicy
import DataPlane
import Testing

/// Those that live are looked at a few in a turn, and nobody is forgotten.
struct ReviewSliceTests {
  private static let nobody = [TestPolicy.rule("nobody", .deny, "worker/**")]

  private func revoked(_ world: TestWorld) -> Int {
    world.audit.actions.filter { $0 == "connection-revoked" }.count
  }

  @Test func aReviewGoesOnInTheNextTurns() throws {
    let world = try TestWorld()
    let clients = try world.live(.orders, .orders, .orders, .orders, .orders)
    try world.adopt("second", rules: Self.nobody)
    // A look at the clock takes the time that one turn has.
    world.clock.tickMonotonic(by: 1_000_000)
    world.worker.turn(waitLimit: 0)
    #expect(world.worker.isReviewing && (1..<clients.count).contains(revoked(world)))
    while world.worker.isReviewing { world.worker.turn(waitLimit: 0) }
    #expect(revoked(world) == clients.count)
  }

  /// The third connection's slot is given anew before it is looked at.
  @Test func whoComesMeanwhileIsJudgedByWhatHoldsThen() throws {
    let world = try TestWorld()
    let clients = try world.live(.orders, .orders, .orders, .orders)
    clients[2].closeSending()
    world.upstream.connections[2].endSending()
    world.settle(clients[2]) { world.admission.count == 3 }
    try world.adopt("second", rules: [TestPolicy.rule("renamed", .allow, "worker/orders")])
    world.clock.tickMonotonic(by: 1_000_000)
    world.worker.turn(waitLimit: 0)
    #expect(world.worker.isReviewing)
    world.clock.tickMonotonic(by: 0)
    let newcomer = try #require(try world.live(.orders).first)
    world.settle(newcomer) { !world.worker.isReviewing }
    #expect(revoked(world) == 0)
    #expect(world.audit.records.last?["rule.version"] == "second")
    try world.adopt("third", rules: Self.nobody)
    world.settle(newcomer) { newcomer.isOver }
    #expect(revoked(world) == 4)
  }

  @Test func aLabelThatChangesIsAnotherFact() throws {
    let world = try TestWorld()
    let client = try #require(try world.live(.orders).first)
    let labelled = [
      TestPolicy.rule("labelled", .allow, "worker/orders", when: [TestPolicy.plain(.trustLabel, "ours")])
    ]
    let ours = try world.trusting(world.pki.authorityPEM, label: "ours")
    try world.adopt("second", rules: labelled, listener: ours)
    for _ in 0..<5 { world.worker.turn(waitLimit: 0) }
    #expect(revoked(world) == 0 && !world.worker.isReviewing)
    let theirs = try world.trusting(world.pki.authorityPEM, label: "theirs")
    try world.adopt("third", rules: labelled, listener: theirs)
    world.settle(client) { client.isOver }
    #expect(world.audit.records.last?.reason == "policy_changed")
  }
}
