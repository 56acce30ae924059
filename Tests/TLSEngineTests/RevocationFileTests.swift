import AccessPolicy
import Testing

@testable import TLSEngine

/// What is refused when a file of CRLs is loaded, and what is told of those that are not.
@Suite struct RevocationFileTests {
  struct Broken: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var code: String
    var make: @Sendable (RevocationScene) throws -> [UInt8]

    static func changed(
      _ name: String, _ code: String, _ change: @escaping @Sendable (inout RevocationTemplate) -> Void
    ) -> Self {
      Self(testDescription: name, code: code) {
        try $0.crl(RevocationScene.template(RevocationScene.leafSerial, change: change))
      }
    }

    static func scoped(_ name: String, _ code: String, _ scope: [UInt8]) -> Self {
      changed(name, code) {
        $0.extensions = [IssuedExtension("2.5.29.28", critical: true, DER.sequence(scope))]
      }
    }
  }

  static let broken: [Broken] = [
    .changed("delta", "crl-delta") {
      $0.extensions = [IssuedExtension("2.5.29.27", critical: true, DER.integer(1))]
    },
    .changed("delta, not critical", "crl-delta") {
      $0.extensions = [IssuedExtension("2.5.29.27", DER.integer(1))]
    },
    .scoped("indirect", "crl-indirect", DER.tagged(4, [0xff])),
    .changed("entry of another issuer", "crl-indirect") {
      $0.entries[0].extensions = [IssuedExtension("2.5.29.29", critical: true, DER.sequence())]
    },
    .scoped("attribute certificates", "crl-scope", DER.tagged(5, [0xff])),
    .scoped("some reasons", "crl-scope", DER.tagged(3, [5, 0x60])),
    .scoped("users only and CAs only", "crl-scope", DER.tagged(1, [0xff]) + DER.tagged(2, [0xff])),
    .scoped("a scope that cannot be decoded", "crl-malformed", DER.utf8("?")),
    .changed("two scopes", "crl-malformed") {
      $0.extensions = [[1], [2]].map { IssuedExtension("2.5.29.28", DER.sequence(DER.tagged($0[0], [0xff]))) }
    },
    .changed("unknown critical extension", "crl-extension") {
      $0.extensions = [IssuedExtension("1.2.3.4", critical: true, DER.utf8("?"))]
    },
    .changed("unknown critical extension of an entry", "crl-extension") {
      $0.entries[0].extensions = [IssuedExtension("1.2.3.4", critical: true, DER.utf8("?"))]
    },
    .changed("SHA-1", "crl-weak-signature") { $0.digest = "SHA1" },
    Broken(testDescription: "another key of the same name", code: "crl-signature") {
      let other = try ThrowawayAuthority.selfSigned(TestPKI.authority("Root"))
      return try $0.crl(RevocationScene.template(), signedBy: other)
    },
    Broken(testDescription: "changed after it was signed", code: "crl-signature") {
      var crl = try $0.crl(RevocationScene.template(RevocationScene.leafSerial))
      let place = try #require(crl.firstRange(of: RevocationScene.leafSerial)?.lowerBound)
      crl[place] ^= 1
      return crl
    },
    Broken(testDescription: "cut off", code: "crl-malformed") {
      Array(try $0.crl(RevocationScene.template(RevocationScene.leafSerial)).dropLast())
    },
    Broken(testDescription: "bytes behind it", code: "crl-malformed") {
      try $0.crl(RevocationScene.template()) + [0]
    },
    Broken(testDescription: "an entry that is none", code: "crl-malformed") {
      var crl = try $0.crl(RevocationScene.template(RevocationScene.leafSerial))
      let place = try #require(crl.firstRange(of: [2, 2] + RevocationScene.leafSerial)?.lowerBound)
      crl[place] = 4
      return crl
    },
    Broken(testDescription: "another algorithm beside the signature", code: "crl-malformed") {
      var crl = try $0.crl(RevocationScene.template())
      // ecdsa-with-SHA256 is 1.2.840.10045.4.3.2.
      let name: [UInt8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]
      let place = try #require(crl.ranges(of: name).last?.upperBound)
      crl[place - 1] = 3
      return crl
    },
    Broken(testDescription: "a certificate in DER", code: "crl-malformed") { $0.issued[0].der },
    Broken(testDescription: "a certificate in PEM", code: "unexpected-block") { $0.issued[0].pem },
    Broken(testDescription: "nothing of the kind", code: "no-crl") { _ in Array("nothing\n".utf8) },
    Broken(testDescription: "broken PEM", code: "pem-broken") {
      Array(RevocationScene.pem(try $0.crl(RevocationScene.template())).dropLast(8))
    },
  ]

  @Test(arguments: broken)
  func refusedAtLoad(_ item: Broken) throws {
    let made = try RevocationScene()
    let good = try made.crl(RevocationScene.template())
    let bad = try item.make(made)
    let error = #expect(throws: TLSConfigurationError.self) {
      try ChainVerifier(bundle: made.issued[0].pem, revocation: RevocationOptions(crls: [good, bad]))
    }
    #expect(error?.code == item.code)
    #expect(error?.subject == .clientCRL)
    #expect(error?.file == 1)
    #expect(error?.message.isEmpty == false)
  }

  @Test func anchorThatMayNotSignCRLs() throws {
    let made = try RevocationScene { $0[0].keyUsage = [.certificateSigning] }
    let crl = try made.crl(RevocationScene.template())
    let error = #expect(throws: TLSConfigurationError.self) {
      try ChainVerifier(bundle: made.issued[0].pem, revocation: RevocationOptions(crls: [crl]))
    }
    #expect(error?.code == "crl-issuer-usage")
  }

  /// Days in the life of a CRL of sixty, and what `check` says of it then.
  static let times: [(days: Int64, code: String?, words: String)] = [
    (-31, "crl-not-yet-valid", "2026-05-02"), (0, nil, ""), (9, nil, ""), (11, "crl-expiring", "in 19 days"),
    (29, "crl-expiring", "less than 25 h"), (31, "crl-stale", "refused"),
  ]

  @Test(arguments: times)
  func timesAreTold(days: Int64, code: String?, words: String) throws {
    let made = try RevocationScene()
    let crl = try made.crl(
      RevocationScene.template {
        $0.thisUpdate = TestPKI.notBefore
        $0.nextUpdate = TestPKI.notAfter
      })
    let set = try ChainVerifier(bundle: made.issued[0].pem, revocation: RevocationOptions(crls: [crl]))
      .revocation
    let now = Timestamp(seconds: TestPKI.now.seconds + days * TestPKI.day)
    let findings = RevocationFindings.findings([set], at: now)
    #expect(findings.map(\.code) == (code.map { [$0] } ?? []))
    #expect(findings.allSatisfy { $0.message.contains(words) && $0.file == 0 })
  }

  @Test func whatIsMissingIsTold() throws {
    let made = try RevocationScene(intermediates: 1)
    let crl = try made.crl(RevocationScene.template { $0.nextUpdate = nil }, by: 1)
    let set = try ChainVerifier(
      bundle: made.issued[0].pem, revocation: RevocationOptions(crls: [crl], isRequired: true)
    ).revocation
    let codes = RevocationFindings.findings([set], at: TestPKI.now).map(\.code)
    #expect(codes == ["crl-issuer-unknown", "crl-no-next-update"])
    #expect(RevocationFindings.missing(set).map(\.code) == ["crl-missing"])
    // A host may have the anchor that the listener has not.
    let host = try ChainVerifier(bundle: made.issued[1].pem, revocation: RevocationOptions(crls: [crl]))
    #expect(
      RevocationFindings.findings([set, host.revocation], at: TestPKI.now).map(\.code) == [
        "crl-no-next-update"
      ])
  }

  /// The moment from which the verdict would be another is that of the CRL that ends first.
  @Test func verdictSaysHowLongItHolds() throws {
    let made = try RevocationScene(intermediates: 1)
    let crls = [
      try made.crl(RevocationScene.template()),
      try made.crl(RevocationScene.template { $0.nextUpdate = TestPKI.notAfter }, by: 1),
    ]
    func staleAfter(_ stale: RevocationOptions.Staleness) throws -> Timestamp? {
      let verifier = try ChainVerifier(
        bundle: made.issued[0].pem, revocation: RevocationOptions(crls: crls, stale: stale))
      let chain = PresentedChain(leaf: made.issued[2].certificate, others: [made.issued[1].certificate])
      let outcome = verifier.verify(chain, at: TestPKI.now)
      #expect(outcome.validity?.notBefore == TestPKI.notBefore)
      #expect(outcome.validity?.notAfter == TestPKI.notAfter)
      return outcome.validity?.staleAfter
    }
    #expect(try staleAfter(.deny) == Timestamp(seconds: TestPKI.now.seconds + 3600))
    #expect(try staleAfter(.allowFor(.seconds(60))) == Timestamp(seconds: TestPKI.now.seconds + 3660))
    #expect(try staleAfter(.allow) == nil)
  }

  /// Serial numbers of every length, in any order, each found and no other.
  @Test func serialsAreFound() throws {
    var numbers: [[UInt8]] = (1...20).map { length in (0..<length).map { UInt8(0x11 &+ $0) } }
    for index in 0..<2000 { numbers.append([1, UInt8(truncatingIfNeeded: index &* 7), UInt8(index / 256)]) }
    let made = try RevocationScene()
    let crl = try made.crl(
      RevocationScene.template { $0.entries = numbers.shuffled().map { RevokedEntry($0, reason: 1) } })
    let list = try RevocationList(der: crl, file: 0)
    #expect(list.count == numbers.count)
    for number in numbers {
      #expect(list.lists(SerialNumber(magnitude: number, isNegative: false)))
      #expect(!list.lists(SerialNumber(magnitude: number, isNegative: true)))
      #expect(!list.lists(SerialNumber(magnitude: number + [0], isNegative: false)))
    }
    #expect(!list.lists(SerialNumber(magnitude: [1, 1, 200], isNegative: false)))
  }
}
