import AccessPolicy
import Testing

@testable import TLSEngine

/// Each case is verified twice: by the verifier as `explain` asks it, and over a real handshake.
@Suite struct VerificationTests {
  static let cases =
    VerificationCases.trust + VerificationCases.time + VerificationCases.purpose + VerificationCases.structure
    + VerificationCases.strength + VerificationCases.constraints + VerificationCases.revocation
    + VerificationCases.revocationScopes + VerificationCases.screened
    + VerificationCases.nameConstraints + VerificationCases.paths

  @Test(arguments: cases)
  func verifierDecides(_ item: VerificationCase) throws {
    let scene = try item.make()
    let verifier = try ChainVerifier(
      bundle: scene.anchors.flatMap(\.pem), revocation: scene.revocation)
    let reading = PresentedChain.read(pem: scene.chain.flatMap(\.pem))
    let failure: HandshakeFailure?
    switch reading {
    case .chain(let chain):
      let outcome = verifier.verify(chain, at: scene.now)
      failure = outcome.failure
      #expect(outcome.isVerified == (outcome.facts[.rootSHA256] != nil))
    case .refused(let refusal): failure = refusal
    case .noCertificate:
      Issue.record("no chain")
      return
    }
    #expect(failure?.reason == item.reason)
    #expect(failure?.code == item.code)
    #expect(failure?.depth == (item.reason == nil ? nil : item.depth))
    #expect(failure?.message.isEmpty != true)
  }

  @Test(arguments: cases, TLSVersion.allCases)
  func handshakeDecides(_ item: VerificationCase, _ version: TLSVersion) throws {
    let scene = try item.make()
    let server = try TestPKI.serverOptions(clientCA: scene.anchors.flatMap(\.pem)) {
      $0.trust.revocation = scene.revocation
    }
    let client = try TestPKI.clientOptions {
      $0.certificateChain = scene.chain.flatMap(\.pem)
      $0.privateKey = scene.chain[0].keyPEM
      $0.securityLevel = 0
      $0.maxVersion = version
    }
    let pair = try InMemoryPair(server, client)
    let step = pair.handshake(now: scene.now)
    #expect(step.isComplete == (item.reason == nil))
    #expect(step.failure?.reason == item.reason)
    #expect(step.failure?.code == item.code)
    #expect(pair.server.isEstablished == (item.reason == nil))
    // The certificate is known for the record however it was judged, unless it is not even parsed.
    #expect((pair.server.facts[.sha256] != nil) == item.isParsed)
    #expect((pair.server.facts[.rootSHA256] == nil) == (item.reason != nil))
    if item.reason != nil {
      guard case .failed(let alert) = version == .tls13 ? pair.clientReads() : .failed("alert") else {
        Issue.record("the client was not told")
        return
      }
      #expect(alert.contains("alert"))
    }
  }

  @Test func failureNamesTheSubject() throws {
    let expired = try TestPKI.client { $0.notAfter = $0.notBefore }
    let verifier = try ChainVerifier(bundle: TestPKI.shared.get().authority.pem)
    let outcome = verifier.verify(PresentedChain(leaf: expired.certificate), at: TestPKI.now)
    #expect(outcome.failure?.subject == "CN=worker")
    #expect(outcome.failure?.message == "certificate has expired")
  }

  /// OpenSSL 3.0 knows the errors 1 to 94; later ones must still have a name and a reason.
  @Test func everyErrorHasAReason() {
    for error in Int32(1)...94 {
      #expect(VerificationErrors.table[error] != nil, "error \(error)")
    }
    #expect(VerificationErrors.table.count == 94)
    #expect(Set(VerificationErrors.table.values.map(\.name)).count == 94)
    #expect(VerificationErrors.describe(4711) == ("X509_V_ERR_4711", .certificateInvalid))
  }

  @Test func chainFilesAreReadAsTheContractSays() throws {
    guard case .noCertificate = PresentedChain.read(pem: Array("nothing here\n".utf8)) else {
      Issue.record("text without a certificate")
      return
    }
    var pem = String(decoding: try TestPKI.shared.get().client.pem, as: UTF8.self)
    let lines = pem.split(separator: "\n")
    pem = ([lines[0], "AAAA"] + lines.suffix(1)).joined(separator: "\n") + "\n"
    guard case .refused(let failure) = PresentedChain.read(pem: Array(pem.utf8)) else {
      Issue.record("a certificate that is none")
      return
    }
    #expect(failure.reason == .certificateMalformed)
  }
}
