import AccessPolicy
import Testing

@testable import TLSEngine

/// Which sessions are kept, and which are lost.
@Suite struct SessionKeepingTests {
  typealias Place = ResumptionTests.Place

  @Test(arguments: TLSVersion.allCases)
  func notWhereItIsOff(version: TLSVersion) throws {
    let place = try Place { $0.resumes = false }
    let options = try TestPKI.clientOptions().speaking(version)
    let first = try place.visit(options)
    #expect(!first.client.isResumable)
    #expect(place.cache.sessionCount == 0)
    let second = try place.visit(options, with: first)
    #expect(second.server.facts[.resumed] == .flag(false))
    // The verdict over the chain is another matter.
    #expect(place.cache.chainHits == 1)
  }

  @Test(arguments: TLSVersion.allCases)
  func notOfAClientThatIsRefused(version: TLSVersion) throws {
    let stranger = try ThrowawayAuthority.selfSigned(TestPKI.client("worker"))
    let place = try Place()
    let pair = try place.visit(
      TestPKI.clientOptions {
        $0.maxVersion = version
        $0.certificateChain = stranger.pem
        $0.privateKey = stranger.keyPEM
      })
    #expect(!pair.server.isEstablished)
    #expect(place.cache.sessionCount == 0)
  }

  /// In TLS 1.3 the ticket goes with the first data: a client that is sent nothing has nothing unread.
  @Test func aTicketComesWithData() throws {
    let place = try Place()
    let pair = try InMemoryPair(place.context, TestPKI.clientOptions(), cache: place.cache)
    #expect(pair.handshake().isComplete)
    let sent = pair.sentByServer.count
    #expect(pair.client.send([1]) == .bytes(1))
    pair.carryToServer()
    #expect(pair.server.receive().step == .bytes(1))
    pair.carryToClient()
    #expect(pair.sentByServer.count == sent)
    #expect(place.cache.sessionCount == 0)
    #expect(pair.server.send([]) == .bytes(0))
    #expect(pair.server.send([2]) == .bytes(1))
    pair.carryToClient()
    // Both within what a write is said to add.
    #expect(pair.sentByServer.count - sent <= 1 + TLSSession.recordOverhead)
    #expect(pair.sentByServer.count - sent > 60)
    let behind = pair.sentByServer.count
    #expect(pair.server.send([3]) == .bytes(1))
    pair.carryToClient()
    // Header, data, type and tag: no second ticket.
    #expect(pair.sentByServer.count - behind == 23)
    #expect(place.cache.sessionCount == 1)
    #expect(!pair.client.isResumable)
    #expect(pair.client.receive().bytes == [2])
    #expect(pair.client.isResumable)
  }

  /// Nobody could resume it: it was made under trust that counts no more.
  @Test func notUnderAnotherTrust() throws {
    let place = try Place()
    let pair = try InMemoryPair(place.context, TestPKI.clientOptions(), cache: place.cache)
    #expect(pair.handshake().isComplete)
    let other = try Place().context
    let outcome = pair.server.verifyAgain(by: other, at: TestPKI.now)
    #expect(outcome.isVerified)
    pair.server.adopt(outcome, of: other)
    let sent = pair.sentByServer.count
    #expect(pair.server.send([7]) == .bytes(1))
    pair.carryToClient()
    // Header, data, type and tag: no ticket.
    #expect(pair.sentByServer.count - sent == 23)
    #expect(place.cache.sessionCount == 0)
    #expect(pair.client.receive().bytes == [7])
    #expect(!pair.client.isResumable)
  }

  /// Many clients hang up without a word, and the gateway drops what is left; that breaks nothing.
  @Test(arguments: TLSVersion.allCases)
  func ofAConnectionThatIsDropped(version: TLSVersion) throws {
    let place = try Place()
    let options = try TestPKI.clientOptions().speaking(version)
    let kept = try InMemoryPair(place.context, options, cache: place.cache)
    do {
      let client = try place.visit(options).client
      #expect(kept.client.resume(client))
    }
    #expect(kept.handshake().isComplete)
    #expect(kept.server.facts[.resumed] == .flag(true))
  }

  /// RFC 5246 §7.2.2, and RFC 8446 §6.2 for whoever is careful.
  @Test(arguments: TLSVersion.allCases)
  func notOfAConnectionThatBroke(version: TLSVersion) throws {
    let place = try Place()
    let options = try TestPKI.clientOptions().speaking(version)
    let first = try place.visit(options)
    #expect(place.cache.sessionCount == 1)
    first.fromClient = { bytes in bytes[bytes.count - 1] ^= 1 }
    #expect(first.client.send([1]) == .bytes(1))
    first.carryToServer()
    guard case .failed = first.server.receive().step else {
      Issue.record("a spoilt record was taken")
      return
    }
    let second = try place.visit(options, with: first)
    #expect(second.server.isEstablished)
    #expect(second.server.facts[.resumed] == .flag(false))
  }

  @Test func notOfAConnectionThatFloods() throws {
    let place = try Place()
    let options = try TestPKI.clientOptions()
    let first = try place.visit(options)
    var step = ReadStep.wouldBlock
    for _ in 0..<100 {
      #expect(first.client.updateKeys())
      _ = first.client.send([1])
      first.carryToServer()
      step = first.server.receive().step
      if case .failed = step { break }
    }
    guard case .failed = step else {
      Issue.record("a flood was taken")
      return
    }
    #expect(try place.visit(options, with: first).server.facts[.resumed] == .flag(false))
  }

  /// Whoever saw a hello that resumes can send it again. He gets what everybody gets to see, and no further.
  @Test(arguments: TLSVersion.allCases)
  func aStolenHelloProvesNothing(version: TLSVersion) throws {
    let place = try Place()
    let options = try TestPKI.clientOptions().speaking(version)
    let session = try place.visit(options)
    let owner = try InMemoryPair(place.context, options, cache: place.cache)
    #expect(owner.client.resume(session.client))
    var hello: [UInt8] = []
    owner.fromClient = { if hello.isEmpty { hello = $0 } }
    _ = owner.client.handshake(now: TestPKI.now)
    owner.carryToServer()

    let thief = try InMemoryPair(place.context, options, cache: place.cache)
    var bytes = hello
    #expect(thief.serverBuffers.give(&bytes))
    #expect(thief.server.handshake(now: TestPKI.now).failure == nil)
    // ChangeCipherSpec, and a record that the thief has no key for.
    bytes = [20, 3, 3, 0, 1, 1] + (version == .tls13 ? [23] : [22]) + [3, 3, 0, 40]
    bytes += [UInt8](repeating: 0x5a, count: 40)
    #expect(thief.serverBuffers.give(&bytes))
    let failure = try #require(thief.server.handshake(now: TestPKI.now).failure)
    #expect(failure.reason == .tlsProtocol)
    #expect(failure.code == "SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC")
    #expect(!thief.server.isEstablished)
    #expect(thief.server.peerCertificate == nil)
  }

  @Test(arguments: TLSVersion.allCases)
  func noMoreThanThereIsRoomFor(version: TLSVersion) throws {
    var bounds = HandshakeCache.Bounds()
    bounds.sessions = 5
    let place = try Place(bounds: bounds)
    let options = try TestPKI.clientOptions().speaking(version)
    var visits: [InMemoryPair] = []
    for _ in 0..<12 {
      visits.append(try place.visit(options))
      #expect(place.cache.sessionCount == min(visits.count, 5))
    }
    #expect(try place.visit(options, with: visits[6]).server.facts[.resumed] == .flag(false))
    #expect(try place.visit(options, with: visits[11]).server.facts[.resumed] == .flag(true))
  }

  /// One client does not drive out the others.
  @Test(arguments: TLSVersion.allCases)
  func noMoreOfOneClientThanItsShare(version: TLSVersion) throws {
    var bounds = HandshakeCache.Bounds()
    bounds.sessionsOfClient = 3
    let place = try Place(bounds: bounds)
    let other = try TestPKI.client { $0.alternativeNames = [.dns("other.example")] }
    let options = try TestPKI.clientOptions {
      $0.maxVersion = version
      $0.certificateChain = other.pem
      $0.privateKey = other.keyPEM
    }
    let quiet = try place.visit(options)
    var visits: [InMemoryPair] = []
    for _ in 0..<6 { visits.append(try place.visit(TestPKI.clientOptions().speaking(version))) }
    #expect(place.cache.sessionCount == 4)
    let uses = try visits.reversed().map { session in
      try place.visit(TestPKI.clientOptions().speaking(version), with: session).server.facts[.resumed]
    }
    // The three newest; then those that came of the full handshakes have taken the places.
    #expect(uses.prefix(3) == [.flag(true), .flag(true), .flag(true)])
    #expect(uses.suffix(3) == [.flag(false), .flag(false), .flag(false)])
    #expect(try place.visit(options, with: quiet).server.facts[.resumed] == .flag(true))
  }

  @Test func noMoreThanTheBytesAllow() throws {
    var bounds = HandshakeCache.Bounds()
    bounds.sessionBytes = 60_000
    let place = try Place(bounds: bounds)
    for _ in 0..<12 { _ = try place.visit(TestPKI.clientOptions()) }
    #expect((2...11).contains(place.cache.sessionCount))
  }
}
