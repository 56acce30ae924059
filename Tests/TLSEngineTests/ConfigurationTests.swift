import AccessPolicy
import COpenSSL
import Testing

@testable import TLSEngine

/// What is wrong with our own files is said when they are loaded.
@Suite struct ConfigurationTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var subject: TLSConfigurationError.Subject
    var code: String
    var change: @Sendable (inout ServerContextOptions, TestPKI.Shared) throws -> Void
  }

  static let cases: [Case] = [
    .init(testDescription: "no certificate", subject: .certificate, code: "no-certificate") { options, _ in
      options.certificateChain = []
    },
    .init(testDescription: "DER certificate", subject: .certificate, code: "no-certificate") {
      options, shared in
      options.certificateChain = shared.server.der
    },
    .init(testDescription: "key in place of a certificate", subject: .certificate, code: "no-certificate") {
      options, shared in
      options.certificateChain = shared.server.keyPEM
    },
    .init(testDescription: "cut PEM", subject: .certificate, code: "pem-broken") { options, _ in
      options.certificateChain.removeLast(40)
    },
    .init(testDescription: "PEM of rubbish", subject: .certificate, code: "certificate-malformed") {
      options, _ in
      options.certificateChain = Array("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8)
    },
    .init(testDescription: "another kind of block", subject: .certificate, code: "unexpected-block") {
      options, _ in
      options.certificateChain += Array("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n".utf8)
    },
    .init(testDescription: "issuer first", subject: .certificate, code: "chain-order") { options, shared in
      options.certificateChain = shared.authority.pem + shared.server.pem
      options.privateKey = shared.authority.keyPEM
    },
    .init(testDescription: "a stranger in the chain", subject: .certificate, code: "chain-order") {
      options, shared in
      options.certificateChain =
        shared.server.pem + (try ThrowawayAuthority.selfSigned(TestPKI.authority("Other")).pem)
    },
    .init(testDescription: "another CA of the same name", subject: .certificate, code: "chain-order") {
      options, shared in
      var twin = TestPKI.authority("Test CA")
      twin.omitsKeyIdentifiers = true
      var leaf = CertificateTemplate.server(
        "db.example", notBefore: TestPKI.notBefore, notAfter: TestPKI.notAfter)
      leaf.omitsKeyIdentifiers = true
      let issued = try ThrowawayAuthority.issue(leaf, by: shared.authority)
      options.certificateChain = issued.pem + (try ThrowawayAuthority.selfSigned(twin).pem)
      options.privateKey = issued.keyPEM
    },
    .init(testDescription: "RSA-1024", subject: .certificate, code: "key-too-weak") { options, shared in
      var weak = CertificateTemplate.server(
        "db.example", notBefore: TestPKI.notBefore, notAfter: TestPKI.notAfter)
      weak.keyType = .rsa(1024)
      let issued = try ThrowawayAuthority.issue(weak, by: shared.authority)
      options.certificateChain = issued.pem
      options.privateKey = issued.keyPEM
    },
    .init(testDescription: "SHA-1", subject: .certificate, code: "key-too-weak") { options, shared in
      var weak = CertificateTemplate.server(
        "db.example", notBefore: TestPKI.notBefore, notAfter: TestPKI.notAfter)
      weak.digest = "SHA1"
      let issued = try ThrowawayAuthority.issue(weak, by: shared.authority)
      options.certificateChain = issued.pem
      options.privateKey = issued.keyPEM
    },
    .init(testDescription: "no key", subject: .privateKey, code: "no-key") { options, shared in
      options.privateKey = shared.server.pem
    },
    .init(testDescription: "key of another", subject: .privateKey, code: "key-mismatch") { options, shared in
      options.privateKey = shared.client.keyPEM
    },
    .init(testDescription: "encrypted key", subject: .privateKey, code: "key-encrypted") { options, shared in
      options.privateKey = shared.server.encryptedKeyPEM(passphrase: "secret")
    },
    .init(testDescription: "key of rubbish", subject: .privateKey, code: "key-malformed") { options, _ in
      options.privateKey = Array("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".utf8)
    },
    .init(testDescription: "empty bundle", subject: .clientCA, code: "no-certificate") { options, _ in
      options.clientCA = []
    },
    .init(testDescription: "bundle of text", subject: .clientCA, code: "no-certificate") { options, _ in
      options.clientCA = Array("# put the CA here\n".utf8)
    },
    .init(testDescription: "cut bundle", subject: .clientCA, code: "pem-broken") { options, _ in
      options.clientCA.removeLast(40)
    },
    .init(testDescription: "cut second anchor", subject: .clientCA, code: "pem-broken") { options, shared in
      options.clientCA += shared.authority.pem.dropLast(40)
    },
    .init(testDescription: "anchor of rubbish", subject: .clientCA, code: "certificate-malformed") {
      options, _ in
      options.clientCA += Array("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8)
    },
    .init(testDescription: "key in the bundle", subject: .clientCA, code: "private-key") { options, shared in
      options.clientCA += shared.authority.keyPEM
    },
    .init(testDescription: "OpenSSL's trusted certificate", subject: .clientCA, code: "trusted-certificate") {
      options, shared in
      let text = String(decoding: shared.authority.pem, as: UTF8.self)
      options.clientCA = Array(
        text.split(separator: "CERTIFICATE", omittingEmptySubsequences: false).joined(
          separator: "TRUSTED CERTIFICATE"
        ).utf8)
    },
  ]

  @Test(arguments: cases)
  func isRefusedWithAReason(_ item: Case) throws {
    var options = try TestPKI.serverOptions()
    try item.change(&options, TestPKI.shared.get())
    let error = #expect(throws: TLSConfigurationError.self) { try ServerContext(options) }
    #expect(error?.subject == item.subject)
    #expect(error?.code == item.code)
    #expect(error?.message.isEmpty == false)
  }

  @Test func swappedFilesAreToldAsSuch() throws {
    var options = try TestPKI.serverOptions()
    let certificate = options.certificateChain
    options.certificateChain = options.privateKey
    var error = #expect(throws: TLSConfigurationError.self) { try ServerContext(options) }
    #expect(error?.hint == "the file holds a private key: are certificate and private_key swapped?")
    options.privateKey = certificate
    options.certificateChain = certificate
    error = #expect(throws: TLSConfigurationError.self) { try ServerContext(options) }
    #expect(error?.hint == "the file holds a certificate: are certificate and private_key swapped?")
  }

  @Test func certificatesInTheWrongPlaceAreTold() throws {
    let shared = try TestPKI.shared.get()
    let anchor = try ServerContext(TestPKI.serverOptions { $0.clientCA += shared.client.pem })
    #expect(anchor.findings(at: TestPKI.now).map(\.code) == ["anchor-not-ca"])
    #expect(anchor.findings(at: TestPKI.now).map(\.subject) == [.clientCA])
    let own = try ServerContext(
      TestPKI.serverOptions {
        $0.certificateChain = shared.authority.pem
        $0.privateKey = shared.authority.keyPEM
      })
    #expect(own.findings(at: TestPKI.now).map(\.code).contains("certificate-of-ca"))
  }

  /// What policies are told to be impossible must be what the contexts never negotiate.
  @Test func theCipherSuitesHaveTheNamesThatPoliciesKnow() {
    let own = (ContextSettings.tls13Ciphers + ":" + ContextSettings.tls12Ciphers).split(separator: ":")
    let known = TLSNames.ciphers.map { unsafe String(cString: OPENSSL_cipher_name($0)) }
    #expect(Set(known) == Set(own.map(String.init)))
    #expect(known.count == own.count)
  }

  /// A secret must not come out with the message about it.
  @Test func messagesHoldNoKey() throws {
    var options = try TestPKI.serverOptions()
    options.privateKey = try TestPKI.shared.get().client.keyPEM
    let error = #expect(throws: TLSConfigurationError.self) { try ServerContext(options) }
    #expect(error?.message == "the private key does not belong to the certificate of CN=db.example")
  }

  @Test func chainWithIntermediatesIsSent() throws {
    let shared = try TestPKI.shared.get()
    let intermediate = try ThrowawayAuthority.issue(TestPKI.authority("Intermediate"), by: shared.authority)
    let leaf = try ThrowawayAuthority.issue(
      .server("db.example", notBefore: TestPKI.notBefore, notAfter: TestPKI.notAfter), by: intermediate)
    let pair = try InMemoryPair(
      TestPKI.serverOptions {
        $0.certificateChain = leaf.pem + leaf.keyPEM + intermediate.pem
        $0.privateKey = leaf.pem + leaf.keyPEM
      },
      TestPKI.clientOptions {
        $0.serverCA = shared.authority.pem
        $0.serverName = "db.example"
      })
    #expect(pair.handshake().isComplete)
    #expect(pair.client.peerChainCount == 2)
  }

  @Test func findingsAreWarnings() throws {
    let context = try ServerContext(TestPKI.serverOptions())
    #expect(context.findings(at: TestPKI.now).isEmpty)
    let late = Timestamp(seconds: TestPKI.notAfter.seconds + 1)
    #expect(context.findings(at: late).map(\.code) == ["certificate-expired", "certificate-expired"])
    #expect(context.findings(at: late).map(\.subject) == [.certificate, .clientCA])
    let early = Timestamp(seconds: TestPKI.notBefore.seconds - 1)
    #expect(
      context.findings(at: early).map(\.code) == ["certificate-not-yet-valid", "certificate-not-yet-valid"])
    let shared = try TestPKI.shared.get()
    let client = try ServerContext(
      TestPKI.serverOptions {
        $0.certificateChain = shared.client.pem
        $0.privateKey = shared.client.keyPEM
      })
    #expect(client.findings(at: TestPKI.now).map(\.code) == ["certificate-purpose"])
  }

  /// Thirty days, or the last third of a life: these certificates live for sixty days.
  @Test func certificatesNearTheirEndAreTold() throws {
    let context = try ServerContext(TestPKI.serverOptions())
    let third = Timestamp(seconds: TestPKI.notAfter.seconds - 20 * TestPKI.day)
    #expect(context.findings(at: third).isEmpty)
    let findings = context.findings(at: Timestamp(seconds: third.seconds + 1))
    #expect(findings.map(\.code) == ["certificate-expiring", "certificate-expiring"])
    #expect(
      findings[0].message
        == "the certificate (CN=db.example) expires at 2026-07-01T00:00:00Z, in 19 days")
    #expect(findings[1].message.hasPrefix("the trust anchor (CN=Test CA) expires at"))
    #expect(context.findings(at: TestPKI.notAfter).map(\.code) == findings.map(\.code))
    let long = try ThrowawayAuthority.issue(
      .server(
        "db.example", notBefore: TestPKI.notBefore,
        notAfter: Timestamp(seconds: TestPKI.notBefore.seconds + 365 * TestPKI.day)),
      by: TestPKI.shared.get().authority)
    let yearly = try ServerContext(
      TestPKI.serverOptions {
        $0.certificateChain = long.pem
        $0.privateKey = long.keyPEM
      })
    let month = Timestamp(seconds: TestPKI.notBefore.seconds + 335 * TestPKI.day)
    let own = { (at: Timestamp) in yearly.findings(at: at).filter { $0.subject == .certificate }.map(\.code) }
    #expect(own(month) == [])
    #expect(own(Timestamp(seconds: month.seconds + 1)) == ["certificate-expiring"])
  }

  @Test func anchorsAreCountedOnce() throws {
    let shared = try TestPKI.shared.get()
    #expect(
      try ChainVerifier(bundle: shared.authority.pem + shared.authority.pem + shared.server.pem).anchors.count
        == 2)
  }
}
