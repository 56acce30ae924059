import AccessPolicy
import COpenSSL
import Testing

@testable import TLSEngine

/// Which label a chain has, and that it never has one by chance.
@Suite struct TrustLabelTests {
  /// Two roots, and an intermediate of one name and key that both have signed.
  struct Crossed: Sendable {
    let one: IssuedCertificate
    let other: IssuedCertificate
    let byOne: IssuedCertificate
    let byOther: IssuedCertificate
    let leaf: IssuedCertificate
  }

  static let crossed: Result<Crossed, IssuingError> = {
    do throws(IssuingError) {
      let one = try ThrowawayAuthority.selfSigned(TestPKI.authority("One"))
      let other = try ThrowawayAuthority.selfSigned(TestPKI.authority("Other"))
      let byOne = try ThrowawayAuthority.issue(TestPKI.authority("Crossed"), by: one)
      return .success(
        Crossed(
          one: one, other: other, byOne: byOne, byOther: try byOne.crossSigned(by: other),
          leaf: try ThrowawayAuthority.issue(TestPKI.client("worker"), by: byOne)))
    } catch { return .failure(error) }
  }()

  private func bundle(_ label: String?, _ certificates: IssuedCertificate...) -> TrustBundleFile {
    TrustBundleFile(label: label, pem: certificates.flatMap(\.pem))
  }

  private func verify(_ bundles: [TrustBundleFile], _ chain: [IssuedCertificate]) throws
    -> VerificationOutcome
  {
    try ChainVerifier(TrustOptions(bundles: bundles)).verify(
      PresentedChain(leaf: chain[0].certificate, others: chain.dropFirst().map(\.certificate)),
      at: TestPKI.now)
  }

  @Test func theAnchorsFileNamesTheChain() throws {
    let shared = try TestPKI.shared.get()
    let other = try ThrowawayAuthority.selfSigned(TestPKI.authority("Other"))
    let client = try ThrowawayAuthority.issue(TestPKI.client("other"), by: other)
    let bundles = [bundle("workers", shared.authority), bundle("partners", other)]
    #expect(try verify(bundles, [shared.client]).facts[.trustLabel] == .text("workers"))
    #expect(try verify(bundles, [client]).facts[.trustLabel] == .text("partners"))
    #expect(
      try verify([bundle(nil, shared.authority), bundle("partners", other)], [shared.client]).facts[
        .trustLabel] == nil)
    #expect(
      try verify([bundle("workers", shared.authority, other)], [client]).facts[.trustLabel]
        == .text("workers"))
  }

  @Test func theLabelIsAFactOfTheHandshake() throws {
    let shared = try TestPKI.shared.get()
    let pair = try InMemoryPair(
      TestPKI.serverOptions { $0.trust.bundles[0].label = "workers" }, TestPKI.clientOptions())
    #expect(pair.handshake().isComplete)
    #expect(pair.server.facts[.trustLabel] == .text("workers"))
    let refused = try InMemoryPair(
      TestPKI.serverOptions { $0.trust.bundles[0].label = "workers" },
      TestPKI.clientOptions {
        $0.certificateChain = shared.server.pem; $0.privateKey = shared.server.keyPEM
      })
    #expect(refused.handshake().failure?.reason == .certificatePurpose)
    #expect(refused.server.facts[.trustLabel] == nil)
  }

  @Test func aCAUnderTwoLabelsIsAnError() throws {
    let shared = try TestPKI.shared.get()
    let crossed = try Self.crossed.get()
    let cases: [([TrustBundleFile], Int)] = [
      ([bundle("a", shared.authority), bundle("b", shared.authority)], 1),
      ([bundle("a", shared.authority), bundle(nil, shared.authority)], 1),
      // One CA in two forms.
      ([bundle("a", crossed.one, crossed.byOne), bundle("b", crossed.byOther)], 1),
    ]
    for (bundles, file) in cases {
      let error = #expect(throws: TLSConfigurationError.self) {
        try ChainVerifier(TrustOptions(bundles: bundles))
      }
      #expect(error?.code == "ambiguous-label" && error?.subject == .clientCA && error?.file == file)
    }
    #expect(
      try ChainVerifier(TrustOptions(bundles: [bundle("a", crossed.byOne, crossed.byOther)])).anchors.count
        == 2)
  }

  @Test func theErrorOfAFileNamesIt() throws {
    let shared = try TestPKI.shared.get()
    let error = #expect(throws: TLSConfigurationError.self) {
      try ChainVerifier(
        TrustOptions(bundles: [bundle("a", shared.authority), TrustBundleFile(label: "b", pem: [])]))
    }
    #expect(error?.file == 1 && error?.code == "no-certificate")
  }

  @Test func theNearestAnchorDecides() throws {
    let crossed = try Self.crossed.get()
    let bundles = [bundle("root", crossed.one), bundle("near", crossed.byOther)]
    for chain in [
      [crossed.leaf], [crossed.leaf, crossed.byOne], [crossed.leaf, crossed.byOne, crossed.one],
    ] {
      #expect(try verify(bundles, chain).facts[.trustLabel] == .text("near"))
    }
  }

  /// Either order must come to the same.
  @Test func twoWaysToTwoLabelsAreRefused() throws {
    let crossed = try Self.crossed.get()
    let bundles = [bundle("one", crossed.one), bundle("other", crossed.other)]
    for others in [[crossed.byOne, crossed.byOther], [crossed.byOther, crossed.byOne]] {
      let outcome = try verify(bundles, [crossed.leaf] + others)
      #expect(outcome.failure?.reason == .certificateUntrusted)
      #expect(outcome.failure?.code == "X509_V_ERR_APPLICATION_VERIFICATION")
      #expect(outcome.failure?.message.contains("\"one\"") == true)
      #expect(outcome.failure?.message.contains("\"other\"") == true)
      #expect(outcome.facts[.trustLabel] == nil && outcome.facts[.rootSHA256] == nil)
    }
    #expect(try verify(bundles, [crossed.leaf, crossed.byOne]).facts[.trustLabel] == .text("one"))
    #expect(try verify(bundles, [crossed.leaf, crossed.byOther]).facts[.trustLabel] == .text("other"))
    // A form that is no longer valid is no way.
    var expired = TestPKI.authority("Crossed")
    expired.publicKey = unsafe CertificateBytes.encoded { unsafe i2d_PUBKEY(crossed.byOne.key, $0) }
    expired.omitsKeyIdentifiers = true
    expired.notAfter = Timestamp(seconds: TestPKI.now.seconds - 1)
    let late = try ThrowawayAuthority.issue(expired, by: crossed.other)
    #expect(try verify(bundles, [crossed.leaf, late, crossed.byOne]).facts[.trustLabel] == .text("one"))
    // Under one label there is nothing to choose.
    let same = [bundle("all", crossed.one, crossed.other)]
    #expect(
      try verify(same, [crossed.leaf, crossed.byOne, crossed.byOther]).facts[.trustLabel] == .text("all"))
  }

  /// Names are cheap to copy: who has not signed does not count, and who sends too many is not looked into.
  @Test func certificatesThatOnlyLookLikeIssuersAreNoWay() throws {
    let crossed = try Self.crossed.get()
    let bundles = [bundle("one", crossed.one), bundle("other", crossed.other)]
    var twin = TestPKI.authority("Crossed")
    twin.omitsKeyIdentifiers = true
    let forged = try ThrowawayAuthority.issue(twin, by: crossed.other)
    #expect(try verify(bundles, [crossed.leaf, crossed.byOne, forged]).facts[.trustLabel] == .text("one"))
  }

  /// Each certificate may have been signed by each other one of its name: that is looked into so far and no further.
  @Test func moreSignaturesThanAnHonestChainHasAreNotChecked() throws {
    let crossed = try Self.crossed.get()
    let bundles = [bundle("one", crossed.one), bundle("other", crossed.other)]
    let templates = ["A", "B", "A"].map { name in
      var template = TestPKI.authority(name)
      template.omitsKeyIdentifiers = true
      return template
    }
    var path: [IssuedCertificate] = []
    for template in templates {
      path.insert(try ThrowawayAuthority.issue(template, by: path.first ?? crossed.one), at: 0)
    }
    var leaf = TestPKI.client("worker")
    leaf.omitsKeyIdentifiers = true
    path.insert(try ThrowawayAuthority.issue(leaf, by: path[0]), at: 0)
    #expect(try verify(bundles, path).facts[.trustLabel] == .text("one"))
    let decoys = try (0..<6).map { _ in try ThrowawayAuthority.issue(templates[0], by: crossed.other) }
    let outcome = try verify(bundles, path + decoys)
    #expect(outcome.failure?.code == "X509_V_ERR_APPLICATION_VERIFICATION")
    #expect(outcome.failure?.message.contains("so many CAs") == true)
  }

  @Test func whatIsTrustedHasAVersion() throws {
    let shared = try TestPKI.shared.get()
    let options = TrustOptions(bundles: [bundle("a", shared.authority)])
    var changed = [options, options, options, options, options]
    changed[0].bundles[0].label = nil
    changed[1].bundles[0].pem += shared.server.pem
    changed[2].revocation = RevocationOptions(crls: [[1]])
    changed[3].revocation.stale = .allowFor(.seconds(3))
    changed[4].revocation.isRequired = true
    #expect(Set(([options] + changed).map(\.version)).count == 6)
  }
}

extension IssuedCertificate {
  /// A certificate of the same name and key by another CA.
  func crossSigned(by issuer: IssuedCertificate) throws(IssuingError) -> IssuedCertificate {
    var template = TestPKI.authority("Crossed")
    template.publicKey = unsafe CertificateBytes.encoded { unsafe i2d_PUBKEY(key, $0) }
    // They would be of the key that is made for the template.
    template.omitsKeyIdentifiers = true
    return try ThrowawayAuthority.issue(template, by: issuer)
  }
}
