import AccessPolicy
import Testing

@testable import TLSEngine

/// What the cache says is what verifying again would have said.
@Suite struct VerificationCacheTests {
  @Test(arguments: VerificationTests.cases)
  func sayingItAgainChangesNothing(_ item: VerificationCase) throws {
    let scene = try item.make()
    // What is refused unparsed does not come to a verdict.
    if CertificateScreen.refusal(of: scene.chain.map(\.der)) != nil {
      #expect(item.reason != nil)
      return
    }
    let verifier = try ChainVerifier(bundle: scene.anchors.flatMap(\.pem), revocation: scene.revocation)
    let cache = HandshakeCache()
    let plain = try verifier.judge(scene.chain, at: scene.now)
    #expect(plain.outcome.isVerified == (item.reason == nil))
    for round in 0..<3 {
      let judgement = try cache.judge(scene.chain, by: verifier, at: scene.now)
      #expect(judgement.text == plain.text, "round \(round)")
    }
    // Successes alone are kept.
    #expect(cache.chainCount == (item.reason == nil ? 1 : 0))
    #expect(cache.chainHits == (item.reason == nil ? 2 : 0))
  }

  /// A CRL that has become too old is no ground for a verdict any more, however often it was one.
  @Test(arguments: zip([RevocationOptions.Staleness.deny, .allowFor(.seconds(60))], [Int64(3600), 3660]))
  func aKeptVerdictEndsWithItsCRL(_ stale: RevocationOptions.Staleness, _ last: Int64) throws {
    let made = try RevocationScene()
    let verifier = try ChainVerifier(
      bundle: made.issued[0].pem,
      revocation: RevocationOptions(crls: [try made.crl(RevocationScene.template())], stale: stale))
    let cache = HandshakeCache()
    for (seconds, isVerified) in [(0, true), (1, true), (last, true), (last + 1, false), (last, true)] {
      let time = Timestamp(seconds: TestPKI.now.seconds + seconds)
      let judgement = try cache.judge(made.scene.chain, by: verifier, at: time)
      #expect(judgement.outcome.isVerified == isVerified, "after \(seconds) s")
    }
    #expect(cache.chainHits == 1)
  }

  /// Four certificates that begin and end at different moments, and all moments around those.
  @Test func timeIsLookedAtOnEachUse() throws {
    var templates = VerificationCase.intermediates(1)
    let now = TestPKI.now.seconds
    for (index, span) in [(-90, 90), (-60, 40), (-30, 70)].enumerated() {
      templates[index].notBefore = Timestamp(seconds: now + Int64(span.0))
      templates[index].notAfter = Timestamp(seconds: now + Int64(span.1))
    }
    let scene = try VerificationCase.chain(templates)()
    let verifier = try ChainVerifier(bundle: scene.anchors.flatMap(\.pem))
    let cache = HandshakeCache()
    let moments = [-90, -60, -30, 40, 70, 90].flatMap { [$0 - 1, $0, $0 + 1] } + [0]
    var accepted = 0
    for moment in moments + moments.reversed() + [0, 41, 0, -31, 0] {
      let time = Timestamp(nanoseconds: (now + Int64(moment)) * 1_000_000_000 + 999_999_999)
      let plain = try verifier.judge(scene.chain, at: time)
      #expect(try cache.judge(scene.chain, by: verifier, at: time).text == plain.text, "at \(moment)")
      #expect(plain.outcome.isVerified == (-30...40).contains(moment))
      if plain.outcome.isVerified { accepted += 1 }
    }
    #expect(accepted == 13)
    #expect(cache.chainHits >= 5)
  }

  /// Two certificates of one CA: OpenSSL takes another one once the first that fits has begun.
  @Test func anIssuerThatBeginsLaterIsTakenOnceItHasBegun() throws {
    let old = try ThrowawayAuthority.selfSigned(TestPKI.authority("Twin"))
    var renewed = TestPKI.authority("Twin")
    renewed.notBefore = Timestamp(seconds: TestPKI.now.seconds + 100)
    renewed.publicKey = old.publicKeyInfo
    renewed.omitsKeyIdentifiers = true
    let other = try ThrowawayAuthority.issue(renewed, by: old)
    let leaf = try ThrowawayAuthority.issue(
      VerificationCase.changed(TestPKI.client("worker")) { $0.omitsKeyIdentifiers = true }, by: old)
    for anchors in [[other, old], [old, other]] {
      let verifier = try ChainVerifier(bundle: anchors.flatMap(\.pem))
      let cache = HandshakeCache()
      var roots: Set<String> = []
      for moment in [0, 50, 99, 100, 101, 50] {
        let time = Timestamp(seconds: TestPKI.now.seconds + Int64(moment))
        let plain = try verifier.judge([leaf], at: time)
        #expect(try cache.judge([leaf], by: verifier, at: time).text == plain.text, "at \(moment)")
        roots.insert("\(String(describing: plain.outcome.facts[.rootSHA256]))")
      }
      if anchors[0] === other { #expect(roots.count == 2) }
    }
  }

  @Test func aRevocationListMayEndItSooner() throws {
    let shared = try TestPKI.shared.get()
    let verifier = try ChainVerifier(bundle: shared.authority.pem)
    var outcome = try verifier.judge([shared.client], at: TestPKI.now).outcome
    let now = TestPKI.now.seconds
    outcome.validity?.staleAfter = Timestamp(seconds: now + 9)
    let steady = unsafe verifier.steadySeconds(of: outcome, presented: nil, at: TestPKI.now)
    #expect(steady.upperBound == now + 10)
    outcome.validity = nil
    let unknown = unsafe verifier.steadySeconds(of: outcome, presented: nil, at: TestPKI.now)
    #expect(unknown.isEmpty)
  }

  /// The key is the whole list in its order, and who verifies it.
  @Test func everyListHasItsOwnVerdict() throws {
    let shared = try TestPKI.shared.get()
    let stranger = try ThrowawayAuthority.selfSigned(TestPKI.client("worker"))
    // As long as the other one to the octet, which lengths alone would not tell from it.
    var second = stranger
    while second === stranger || second.der.count != stranger.der.count {
      second = try ThrowawayAuthority.selfSigned(TestPKI.client("worker"))
    }
    let verifier = try ChainVerifier(bundle: shared.authority.pem)
    let twin = try ChainVerifier(bundle: shared.authority.pem)
    let other = try ChainVerifier(bundle: stranger.pem)
    let cache = HandshakeCache()
    let lists = [
      [shared.client], [shared.client, shared.authority], [shared.client, stranger],
      [shared.client, shared.authority, stranger], [shared.client, stranger, shared.authority],
      [shared.client, shared.client], [shared.client, stranger, second], [shared.client, second, stranger],
      [shared.client, second],
    ]
    for list in lists { #expect(try cache.judge(list, by: verifier, at: TestPKI.now).outcome.isVerified) }
    #expect(cache.chainCount == lists.count)
    #expect(try cache.judge([shared.client], by: twin, at: TestPKI.now).outcome.isVerified)
    #expect(cache.chainHits == 0)
    #expect(
      try cache.judge([shared.client], by: other, at: TestPKI.now).outcome.failure?.reason
        == .certificateUntrusted)
    #expect(
      try cache.judge([stranger, shared.client], by: verifier, at: TestPKI.now).outcome.failure?.reason
        == .certificateUntrusted)
  }

  @Test func doesNotGrowWithTheCertificatesThatCome() throws {
    let shared = try TestPKI.shared.get()
    var bounds = HandshakeCache.Bounds()
    bounds.chains = 8
    let cache = HandshakeCache(bounds)
    let verifier = try ChainVerifier(bundle: shared.authority.pem)
    for number in 0..<30 {
      let client = try TestPKI.client { $0.serial = [1, UInt8(number)] }
      #expect(try cache.judge([client], by: verifier, at: TestPKI.now).outcome.isVerified)
      // One that comes again and again keeps its place.
      _ = try cache.judge([shared.client], by: verifier, at: TestPKI.now)
      #expect(cache.chainCount <= 8)
    }
    #expect(cache.chainHits == 29)
  }
}

extension ChainVerifier {
  fileprivate func judge(_ chain: [IssuedCertificate], at now: Timestamp) throws -> ChainJudgement {
    unsafe try chain.stack().withPointers { unsafe judge(leaf: $0, presented: $1, at: now) }
  }
}

extension HandshakeCache {
  fileprivate func judge(
    _ chain: [IssuedCertificate], by verifier: ChainVerifier, at now: Timestamp
  ) throws -> ChainJudgement {
    unsafe try chain.stack().withPointers { unsafe judge(leaf: $0, presented: $1, by: verifier, at: now) }
  }
}

extension [IssuedCertificate] {
  /// As OpenSSL has it where it asks for a verdict.
  fileprivate func stack() throws -> PresentedStack {
    let leaf = unsafe self[0].certificate.pointer
    guard count > 1 else { return try #require(unsafe PresentedStack(leaf: leaf, others: nil)) }
    let stack = unsafe try Array(dropFirst()).stack().withPointers {
      unsafe PresentedStack(leaf: leaf, others: $1)
    }
    return try #require(stack)
  }
}

extension ChainJudgement {
  /// All that anybody can see of it.
  fileprivate var text: String {
    "\(certificate) \(String(describing: outcome.failure)) \(outcome.facts) \(String(describing: outcome.validity)) "
      + "\(outcome.error)"
  }
}
