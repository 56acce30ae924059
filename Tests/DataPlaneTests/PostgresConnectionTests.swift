import AccessPolicy
import DataPlane
import EventLoop
import GatewayConfiguration
import TLSEngine
import Testing

/// Connections that speak Postgres, where the order of events decides.
struct PostgresConnectionTests {
  /// A client that has come in, with its query's key known.
  static func established(_ world: TestWorld) throws -> TestClient {
    let client = try world.client(.orders, asking: PostgresWire.sslRequest)
    client.send(PostgresWire.startup())
    world.settle(client) { world.upstream.connections.last?.received == PostgresWire.startup() }
    world.upstream.connections.last?.send(PostgresWire.welcome)
    world.settle(client) { client.received == PostgresWire.welcome }
    return client
  }

  @Test func aStartupReachesTheServerAndItsKeyIsKnown() throws {
    let world = try TestWorld(wireProtocol: .postgres)
    let client = try Self.established(world)
    #expect(client.answer == UInt8(ascii: "S"))
    #expect(world.environment.postgresSessions.count == 1)
    #expect(world.audit.records.first?["countersign.postgres.user"] == "orders_rw")
    client.closeSending()
    world.upstream.connections[0].endSending()
    world.settle(client) { world.admission.count == 0 }
    #expect(world.environment.postgresSessions.count == 0)
  }

  @Test func aRefusalIsToldAndTheServerNotDialled() throws {
    let world = try TestWorld(wireProtocol: .postgres)
    let client = try world.client(.billing, asking: PostgresWire.sslRequest)
    client.send(PostgresWire.startup())
    world.settle(client) { client.isOver && world.admission.count == 0 }
    #expect(PostgresWire.state(client.received) == "28000")
    #expect(client.hasCloseNotify)
    #expect(world.upstream.connections.isEmpty)
  }

  @Test func aRefusalByTheLogIsTold() throws {
    let world = try TestWorld(wireProtocol: .postgres)
    world.audit.behave(.refuse)
    let client = try world.client(.orders, asking: PostgresWire.sslRequest)
    client.send(PostgresWire.startup())
    world.settle(client) { client.isOver }
    #expect(PostgresWire.state(client.received) == "57P03")
    #expect(world.upstream.connections.isEmpty)
  }

  @Test func excessConnectionsAreToldBeforeTheyAreTurnedAway() throws {
    let world = try TestWorld(maxConnections: 1, wireProtocol: .postgres)
    let first = try Self.established(world)
    let second = try world.plaintext(PostgresWire.sslRequest)
    world.settle(first) { !second.isOpen }
    #expect(PostgresWire.state(second.received) == "53300")
    #expect(world.audit.actions.last == "limit-reached")
  }

  // MARK: Cancels

  @Test func aCancelGoesWhereTheQueryRuns() throws {
    let world = try TestWorld(wireProtocol: .postgres)
    let client = try Self.established(world)
    let cancel = try world.plaintext(PostgresWire.cancelRequest)
    world.settle(client) { world.upstream.connections.count == 2 && world.upstream.connections[1].hasEnded }
    #expect(world.upstream.connections.last?.received == PostgresWire.cancelRequest)
    world.upstream.connections.last?.close()
    world.settle(client) { cancel.hasEnded }
    #expect(cancel.received.isEmpty)
    let record = try #require(world.audit.records.last { $0.action == "connection-allowed" })
    let connection = world.audit.records[0]["countersign.connection.id"]
    #expect(record["countersign.postgres.cancels"] == connection)
    #expect(record["countersign.postgres.user"] == nil)
  }

  @Test func aCancelIsRecordedBeforeTheServerHearsOfIt() throws {
    let world = try TestWorld(wireProtocol: .postgres)
    let client = try Self.established(world)
    world.audit.behave(.hold)
    let cancel = try world.plaintext(PostgresWire.cancelRequest)
    world.settle(client) { world.audit.heldCount == 1 }
    #expect(world.upstream.connections.count == 1)
    // The connection that it is about ends meanwhile: the cancel still goes to that server, and does nothing there.
    client.closeSending()
    world.upstream.connections[0].endSending()
    world.settle(client) { world.environment.postgresSessions.count == 0 }
    world.audit.releaseHeld()
    world.settle(client) { world.upstream.connections.count == 2 && world.upstream.connections[1].hasEnded }
    world.upstream.connections.last?.close()
    world.settle(client) { cancel.hasEnded }
    cancel.close()
    world.settle(client) { world.admission.count == 0 }
  }

  @Test func aCancelOfAConnectionThatHasEndedIsDenied() throws {
    let world = try TestWorld(wireProtocol: .postgres)
    let client = try Self.established(world)
    client.closeSending()
    world.upstream.connections[0].endSending()
    world.settle(client) { world.admission.count == 0 }
    let cancel = try world.plaintext(PostgresWire.cancelRequest)
    world.settle(client) { cancel.hasEnded }
    #expect(world.audit.records.last?["countersign.postgres.cancels"] == "nothing")
    #expect(world.audit.actions.last == "connection-denied")
    #expect(world.upstream.connections.count == 1)
  }

  @Test(arguments: [TestPKI.Identity.billing, .unmapped])
  func aCancelBySomebodyElseIsDenied(_ identity: TestPKI.Identity) throws {
    let world = try TestWorld(wireProtocol: .postgres)
    let client = try Self.established(world)
    let other = try world.client(identity, asking: PostgresWire.sslRequest)
    other.send(PostgresWire.cancelRequest)
    world.settle(client, other) { other.isOver }
    #expect(world.audit.actions.last == "connection-denied")
    #expect(other.received.isEmpty)
    #expect(other.hasCloseNotify)
    #expect(world.upstream.connections.count == 1)
  }

  @Test func aCancelSaysNothingMore() throws {
    let world = try TestWorld(wireProtocol: .postgres)
    let client = try Self.established(world)
    let other = try world.client(.orders, asking: PostgresWire.sslRequest)
    other.send(PostgresWire.cancelRequest)
    world.settle(client, other) { world.upstream.connections.count == 2 }
    other.send(PostgresWire.startup())
    world.settle(client, other) { world.upstream.connections.last?.hasEnded == true }
    #expect(world.upstream.connections.last?.received == PostgresWire.cancelRequest)
  }

  // MARK: TLS of the upstream, as far as it goes in plaintext

  static func tls(_ pki: TestPKI) throws -> TLSClientContext {
    var options = pki.clientOptions(nil)
    options.serverCA = pki.authorityPEM
    return try TLSClientContext(options)
  }

  static func asked(_ world: TestWorld, _ client: TestClient) {
    client.send(PostgresWire.startup())
    world.settle(client) { world.upstream.connections.first?.received == PostgresWire.sslRequest }
  }

  @Test(arguments: [[UInt8(ascii: "N")], Array("SE".utf8), Array("HTTP".utf8), Array("E".utf8)])
  func anotherAddressIsTriedWhereTLSCannotBegin(_ answer: [UInt8]) throws {
    let pki = try TestPKI.shared.get()
    let world = try TestWorld(
      wireProtocol: .postgres, upstreams: 2, upstreamTLS: Self.tls(pki))
    let client = try world.client(.orders, asking: PostgresWire.sslRequest)
    Self.asked(world, client)
    world.upstream.connections[0].send(answer)
    world.settle(client) { world.upstreams[1].connections.first?.received == PostgresWire.sslRequest }
    #expect(world.upstream.connections[0].hasEnded)
    world.upstreams[1].connections[0].send(answer)
    world.settle(client) { client.isOver }
    #expect(PostgresWire.state(client.received) == "08006")
    #expect(world.audit.records.last?.reason == "upstream_tls")
    // Nothing of the client went to a server that has not proved itself.
    #expect(world.upstreams.allSatisfy { $0.connections[0].received == PostgresWire.sslRequest })
  }

  @Test func aClientThatGoesWhileTheUpstreamIsPreparedEndsItToo() throws {
    let world = try TestWorld(wireProtocol: .postgres, upstreamTLS: Self.tls(TestPKI.shared.get()))
    let client = try world.client(.orders, asking: PostgresWire.sslRequest)
    Self.asked(world, client)
    client.socket.close(reset: true)
    world.settle { world.upstream.connections[0].hasEnded || world.upstream.connections[0].error != nil }
    world.settle { world.admission.count == 0 }
    #expect(world.audit.records.last?.reason == "client_reset")
  }

  @Test func anUpstreamThatDoesNotAnswerEndsAtTheDeadline() throws {
    let world = try TestWorld(wireProtocol: .postgres, upstreamTLS: Self.tls(TestPKI.shared.get()))
    let client = try world.client(.orders, asking: PostgresWire.sslRequest)
    Self.asked(world, client)
    world.clock.advance(by: .seconds(5))
    world.settle(client) { client.isOver }
    #expect(PostgresWire.state(client.received) == "08006")
    #expect(world.audit.records.last?.reason == "upstream_timeout")
  }

  // MARK: The end of the gateway

  @Test func aDrainEndsWhoHasNotBegunWithoutAWord() throws {
    let world = try TestWorld(wireProtocol: .postgres)
    let silent = try world.plaintext([])
    let asking = try world.plaintext(PostgresWire.sslRequest)
    world.settle {
      asking.received == [UInt8(ascii: "S")] && world.admission.count == 2
    }
    world.worker.mailbox.post(.endConnections)
    world.settle {
      !silent.isOpen && !asking.isOpen && world.admission.count == 0
    }
    #expect(silent.received.isEmpty)
    #expect(world.audit.actions == ["handshake-failed", "handshake-failed"])
  }

  @Test func aDrainIsToldToWhoHasNotSaidWhoItIs() throws {
    let world = try TestWorld(wireProtocol: .postgres)
    let client = try world.client(.orders, asking: PostgresWire.sslRequest)
    world.settle(client) { client.isEstablished }
    for _ in 0..<5 { world.worker.turn(waitLimit: 1) }
    world.worker.mailbox.post(.endConnections)
    world.settle(client) { client.isOver }
    #expect(PostgresWire.state(client.received) == "57P01")
  }

  @Test func aDrainIsToldToWhoWaitsForTheLog() throws {
    let world = try TestWorld(wireProtocol: .postgres)
    world.audit.behave(.hold)
    let client = try world.client(.orders, asking: PostgresWire.sslRequest)
    client.send(PostgresWire.startup())
    world.settle(client) { world.audit.heldCount == 1 }
    world.worker.mailbox.post(.endConnections)
    world.settle(client) { client.isOver }
    #expect(PostgresWire.state(client.received) == "57P01")
    world.audit.releaseHeld()
    world.worker.turn(waitLimit: 1)
    #expect(world.upstream.connections.isEmpty)
  }

  @Test func aDrainIsToldToWhoWaitsForTheUpstreamsTLS() throws {
    let world = try TestWorld(wireProtocol: .postgres, upstreamTLS: Self.tls(TestPKI.shared.get()))
    let client = try world.client(.orders, asking: PostgresWire.sslRequest)
    Self.asked(world, client)
    world.worker.mailbox.post(.endConnections)
    world.settle(client) { client.isOver }
    #expect(PostgresWire.state(client.received) == "57P01")
  }

  @Test(arguments: [true, false])
  func aDrainIsToldBetweenMessagesAlone(_ isIdle: Bool) throws {
    let world = try TestWorld(wireProtocol: .postgres)
    let client = try Self.established(world)
    // A DataRow of which a part is there.
    let part: [UInt8] = isIdle ? [] : [0x44, 0, 0, 1, 0, 0, 1]
    world.upstream.connections[0].send(part)
    world.settle(client) { client.received == PostgresWire.welcome + part }
    world.worker.mailbox.post(.endConnections)
    world.settle(client) { client.isOver }
    #expect(PostgresWire.state(client.received) == (isIdle ? "57P01" : nil))
    #expect(client.hasCloseNotify)
    #expect(world.audit.records.last?.reason == "drain")
  }

  // MARK: Limits

  @Test func theOldestThatNegotiatesGoesFirst() throws {
    let world = try TestWorld(limits: Limits(maxHandshakes: 2), wireProtocol: .postgres)
    let silent = try (0..<2).map { _ in
      let before = world.admission.count
      let socket = try world.plaintext([])
      world.settle { world.admission.count == before + 1 }
      return socket
    }
    let client = try Self.established(world)
    world.settle { !silent[0].isOpen }
    #expect(silent[1].isOpen)
    #expect(client.isEstablished)
    #expect(world.audit.records.first?.action == "limit-reached")
  }

  @Test func aClientThatHasProvedItselfIsNotEvictedWhileItSaysNothing() throws {
    let world = try TestWorld(limits: Limits(maxHandshakes: 1), wireProtocol: .postgres)
    let slow = try world.client(.orders, asking: PostgresWire.sslRequest)
    world.settle(slow) { slow.isEstablished }
    for _ in 0..<5 {
      world.worker.turn(waitLimit: 1)
      slow.pump()
    }
    let other = try Self.established(world)
    #expect(other.isEstablished)
    slow.send(PostgresWire.startup())
    world.settle(slow, other) { world.upstream.connections.count == 2 }
  }

  @Test func negotiationHandshakeAndFirstMessageHaveOneDeadline() throws {
    let world = try TestWorld(limits: Limits(handshakeTimeout: .seconds(10)), wireProtocol: .postgres)
    let client = try world.client(.orders, asking: PostgresWire.sslRequest)
    world.settle(client) { client.answer != nil }
    world.clock.advance(by: .seconds(6))
    world.settle(client) { client.isEstablished }
    client.send(Array(PostgresWire.startup().prefix(9)))
    for _ in 0..<5 {
      world.worker.turn(waitLimit: 1)
      client.pump()
    }
    world.clock.advance(by: .seconds(4))
    world.settle(client) { client.isOver }
    #expect(world.audit.records.last?.reason == "timeout")
  }
}
