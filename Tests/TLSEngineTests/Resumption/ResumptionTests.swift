import AccessPolicy
import Testing

@testable import TLSEngine

/// What a client gets by coming back with a session, and what it does not.
@Suite struct ResumptionTests {
  /// A listener and a worker's cache.
  struct Place {
    let context: ServerContext
    let cache: HandshakeCache

    init(bounds: HandshakeCache.Bounds = .init(), _ change: (inout ServerContextOptions) -> Void = { _ in })
      throws
    {
      context = try ServerContext(TestPKI.serverOptions(clientCA: nil, change))
      cache = HandshakeCache(bounds)
    }

    init(_ context: ServerContext, _ cache: HandshakeCache) {
      self.context = context
      self.cache = cache
    }

    /// Connects, and takes a byte of the server's, with which a ticket comes.
    func visit(
      _ options: TLSClientOptions, with session: InMemoryPair? = nil, at now: Timestamp = TestPKI.now
    ) throws -> InMemoryPair {
      let pair = try InMemoryPair(context, options, cache: cache)
      if let session { #expect(pair.client.resume(session.client)) }
      guard pair.handshake(now: now).isComplete else { return pair }
      #expect(pair.server.send([7]) == .bytes(1))
      pair.carryToClient()
      #expect(pair.client.receive().step == .bytes(1))
      return pair
    }
  }

  @Test(arguments: TLSVersion.allCases)
  func aResumedConnectionHasTheFactsOfAFullOne(version: TLSVersion) throws {
    let place = try Place { $0.alpn = ["a"] }
    let options = try TestPKI.clientOptions {
      $0.maxVersion = version
      $0.serverName = "db.example"
      $0.alpn = ["a"]
      $0.certificateChain += (try? TestPKI.shared.get().authority.pem) ?? []
    }
    let first = try place.visit(options)
    #expect(first.server.facts[.resumed] == .flag(false))
    var pair = first
    for _ in 0..<3 {
      pair = try place.visit(options, with: pair)
      #expect(pair.server.isEstablished)
      #expect(pair.server.facts[.resumed] == .flag(true))
      var facts = pair.server.facts
      facts[.resumed] = .flag(false)
      #expect(facts == first.server.facts)
      #expect(facts.fields.count > 20)
      #expect(pair.server.peerCertificate == first.server.peerCertificate)
    }
    // Verified in each: from what is remembered.
    #expect((place.cache.chainCount, place.cache.chainHits) == (1, 3))
    #expect(place.cache.sessionCount == 1)
  }

  /// RFC 8446 §C.4; an id of TLS 1.2 is shown to everybody in the first place.
  @Test(arguments: TLSVersion.allCases)
  func aTicketServesOnce(version: TLSVersion) throws {
    let place = try Place()
    let options = try TestPKI.clientOptions().speaking(version)
    let first = try place.visit(options)
    let uses = try (0..<3).map { _ in try place.visit(options, with: first).server.facts[.resumed] }
    #expect(uses == (version == .tls13 ? [true, false, false] : [true, true, true]).map { .flag($0) })
  }

  @Test(arguments: TLSVersion.allCases)
  func anotherServerNameIsAnotherSession(version: TLSVersion) throws {
    let place = try Place()
    let names: [String?] = ["a.example", "b.example", nil, "A.example"]
    func options(_ name: String?) throws -> TLSClientOptions {
      try TestPKI.clientOptions {
        $0.maxVersion = version
        $0.serverName = name
      }
    }
    for (at, first) in names.enumerated() {
      for (index, second) in names.enumerated() {
        let pair = try place.visit(options(second), with: place.visit(options(first)))
        // One spelling: the fourth is the first.
        #expect(pair.server.isEstablished)
        #expect(pair.server.facts[.resumed] == .flag(at % 3 == index % 3), "\(at) to \(index)")
        #expect(pair.server.facts[.serverName] == second.map { .text($0.lowercased()) })
      }
    }
  }

  @Test(arguments: TLSVersion.allCases)
  func anotherListenerOrTrustIsAnotherSession(version: TLSVersion) throws {
    let place = try Place()
    let options = try TestPKI.clientOptions().speaking(version)
    let authority = try TestPKI.shared.get().authority.pem
    let stranger = try ThrowawayAuthority.selfSigned(TestPKI.authority("Other")).pem
    let again = try Place(ServerContext(TestPKI.serverOptions()), place.cache)
    let others = [
      again, try Place(ServerContext(TestPKI.serverOptions { $0.listener = "other" }), place.cache),
      try Place(ServerContext(TestPKI.serverOptions(clientCA: authority + stranger)), place.cache),
    ]
    for other in others {
      let pair = try other.visit(options, with: place.visit(options))
      #expect(pair.server.isEstablished)
      #expect(pair.server.facts[.resumed] == .flag(false))
    }
    let distrusting = try Place(ServerContext(TestPKI.serverOptions(clientCA: stranger)), place.cache)
    let refused = try distrusting.visit(options, with: place.visit(options))
    #expect(refused.server.handshake(now: TestPKI.now).failure?.reason == .certificateUntrusted)
  }

  /// The reason is the one of a full handshake, since it is one; whoever has a newer certificate gets in.
  @Test(arguments: TLSVersion.allCases)
  func anExpiredCertificateIsNotResumed(version: TLSVersion) throws {
    let place = try Place()
    let options = try TestPKI.clientOptions().speaking(version)
    let last = TestPKI.notAfter
    let eve = Timestamp(seconds: last.seconds - 60)
    var session = try place.visit(options, at: eve)
    session = try place.visit(options, with: session, at: Timestamp(seconds: last.seconds - 1))
    #expect(session.server.facts[.resumed] == .flag(true))
    let next = Timestamp(seconds: last.seconds + 1)
    let late = try place.visit(options, with: session, at: next)
    #expect(late.server.handshake(now: next).failure?.reason == .certificateExpired)
    #expect(late.server.handshake(now: next).failure?.code == "X509_V_ERR_CERT_HAS_EXPIRED")
    #expect(!late.sentByServer.isEmpty)
    #expect(place.cache.sessionCount == 0)
  }

  @Test(arguments: TLSVersion.allCases)
  func aNewerCertificateIsTakenInPlaceOfAnExpiredSession(version: TLSVersion) throws {
    let short = try TestPKI.client { $0.notAfter = Timestamp(seconds: TestPKI.now.seconds + 10) }
    let options = try TestPKI.clientOptions {
      $0.maxVersion = version
      $0.certificateChain = short.pem
      $0.privateKey = short.keyPEM
    }
    let place = try Place()
    let session = try place.visit(options)
    let renewed = try TestPKI.clientOptions().speaking(version)
    let pair = try place.visit(renewed, with: session, at: Timestamp(seconds: TestPKI.now.seconds + 11))
    #expect(pair.server.isEstablished)
    #expect(pair.server.facts[.resumed] == .flag(false))
    #expect(pair.server.facts[.notAfter] == .instant(TestPKI.notAfter))
  }

  /// The session was good when the client named it; the verdict is taken once the client has proven that it has it.
  @Test(arguments: TLSVersion.allCases)
  func aCertificateThatExpiresWithinTheHandshake(version: TLSVersion) throws {
    let place = try Place()
    let options = try TestPKI.clientOptions().speaking(version)
    let session = try place.visit(options, at: TestPKI.notAfter)
    let pair = try InMemoryPair(place.context, options, cache: place.cache)
    #expect(pair.client.resume(session.client))
    _ = pair.client.handshake(now: TestPKI.now)
    pair.carryToServer()
    #expect(pair.server.handshake(now: TestPKI.notAfter).failure == nil)
    pair.carryToClient()
    #expect(pair.client.handshake(now: TestPKI.now) == .complete)
    pair.carryToServer()
    let step = pair.server.handshake(now: Timestamp(seconds: TestPKI.notAfter.seconds + 1))
    #expect(step.failure?.reason == .certificateExpired)
    #expect(!pair.server.isEstablished)
    #expect(pair.server.send([1]) != .bytes(1))
    #expect(pair.server.peerCertificate == nil)
  }

  @Test(arguments: TLSVersion.allCases)
  func nobodyResumesForEver(version: TLSVersion) throws {
    let place = try Place()
    let options = try TestPKI.clientOptions().speaking(version)
    var session = try place.visit(options)
    for hour in 1..<4 {
      let now = Timestamp(seconds: TestPKI.now.seconds + Int64(hour) * 3600 - 1)
      session = try place.visit(options, with: session, at: now)
      #expect(session.server.isEstablished)
      #expect(session.server.facts[.resumed] == .flag(hour != 3), "hour \(hour)")
    }
    // A clock that went back tells nothing of how long ago it was.
    let back = Timestamp(seconds: TestPKI.now.seconds - 1)
    #expect(try place.visit(options, with: session, at: back).server.facts[.resumed] == .flag(false))
  }
}
