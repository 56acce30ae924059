import AccessPolicy
import COpenSSL
import Testing

@testable import TLSEngine

/// Certificates and keys of our own: of every kind, in every file format, on both sides.
@Suite struct IdentityTests {
  static let kinds: [CertificateTemplate.KeyType] = [.p256, .p384, .p521, .ed25519, .rsa(2048)]

  static func issue(
    _ template: CertificateTemplate, _ kind: CertificateTemplate.KeyType
  ) throws -> IssuedCertificate {
    var template = template
    template.keyType = kind
    return try ThrowawayAuthority.issue(template, by: TestPKI.shared.get().authority)
  }

  static func server(_ kind: CertificateTemplate.KeyType) throws -> IssuedCertificate {
    try issue(.server("db.example", notBefore: TestPKI.notBefore, notAfter: TestPKI.notAfter), kind)
  }

  private func code(_ options: IdentityOptions) -> TLSConfigurationError? {
    do throws(TLSConfigurationError) {
      _ = try IdentityLoader(isJudging: true).load(options)
      return nil
    } catch { return error }
  }

  @Test(arguments: kinds, TLSVersion.allCases)
  func everyKindServesOnBothSides(_ kind: CertificateTemplate.KeyType, _ version: TLSVersion) throws {
    let shared = try TestPKI.shared.get()
    let server = try Self.server(kind)
    let client = try Self.issue(TestPKI.client("worker"), kind)
    let pair = try InMemoryPair(
      TestPKI.serverOptions { $0.identity = server.identity },
      TestPKI.clientOptions {
        $0.identity = client.identity
        $0.serverCA = shared.authority.pem
        $0.serverName = "db.example"
        $0.maxVersion = version
      })
    #expect(pair.handshake().isComplete)
    #expect(pair.server.facts[.keyType] != nil)
  }

  @Test func severalAreMatchedByTheirKeys() throws {
    let ec = try Self.server(.p384)
    let rsa = try Self.server(.rsa(2048))
    let edwards = try Self.server(.ed25519)
    let loaded = try IdentityLoader(isJudging: true).load(
      IdentityOptions(
        certificates: [ec.pem, rsa.pem, edwards.pem], privateKeys: [edwards.keyPEM, ec.keyPEM, rsa.keyPEM]))
    #expect(loaded.map(\.key.type) == ["ec", "rsa", "ed25519"])
    #expect(loaded.map(\.file) == [0, 1, 2])
  }

  @Test func whatDoesNotMatchIsNamed() throws {
    let ec = try Self.server(.p256)
    let otherEC = try Self.server(.p384)
    let rsa = try Self.server(.rsa(2048))
    let stranger = try Self.server(.ed25519)
    var error = code(
      IdentityOptions(certificates: [ec.pem, rsa.pem], privateKeys: [ec.keyPEM, stranger.keyPEM]))
    #expect(error?.code == "key-mismatch" && error?.subject == .privateKey && error?.file == 1)
    error = code(IdentityOptions(certificates: [ec.pem, rsa.pem], privateKeys: [ec.keyPEM, ec.keyPEM]))
    #expect(error?.code == "key-mismatch" && error?.subject == .certificate && error?.file == 1)
    error = code(
      IdentityOptions(certificates: [ec.pem, otherEC.pem], privateKeys: [ec.keyPEM, otherEC.keyPEM]))
    #expect(error?.code == "duplicate-key-type" && error?.subject == .certificate && error?.file == 1)
  }

  // MARK: Passphrases and PKCS #12

  @Test func encryptedKeysAreDecrypted() throws {
    let server = try Self.server(.p256)
    let words = Array("correct horse".utf8)
    for pem in [server.encryptedKeyPEM(passphrase: "correct horse"), server.traditionalKeyPEM(words)] {
      let text = String(decoding: pem, as: UTF8.self)
      #expect(text.contains("ENCRYPTED"))
      let load = { IdentityOptions(certificates: [server.pem], privateKeys: [pem], passphrase: $0) }
      #expect(code(load(words)) == nil)
      #expect(code(load(nil))?.code == "key-encrypted")
      let wrong = code(load(Array("wrong horse".utf8)))
      #expect(wrong?.code == "passphrase-wrong" && wrong?.subject == .passphrase)
      // Too long for OpenSSL is wrong, too, and nothing else.
      #expect(code(load([UInt8](repeating: 97, count: 5000)))?.code == "passphrase-wrong")
    }
  }

  @Test func filesOfPKCS12AreRead() throws {
    let shared = try TestPKI.shared.get()
    let intermediate = try ThrowawayAuthority.issue(TestPKI.authority("Intermediate"), by: shared.authority)
    let leaf = try ThrowawayAuthority.issue(
      .server("db.example", notBefore: TestPKI.notBefore, notAfter: TestPKI.notAfter), by: intermediate)
    let words = Array("secret".utf8)
    // Whatever stands in the file, and in whatever order, what is sent is the leaf and its issuers.
    let file = leaf.pkcs12(words, others: [shared.authority, shared.client, intermediate])
    let loaded = try IdentityLoader(isJudging: true).load(IdentityOptions(pkcs12: file, passphrase: words))
    #expect(loaded.map { $0.chain.map(\.subject) } == [["CN=db.example", "CN=Intermediate", "CN=Test CA"]])
    let pair = try InMemoryPair(
      TestPKI.serverOptions { $0.identity = IdentityOptions(pkcs12: file, passphrase: words) },
      TestPKI.clientOptions {
        $0.serverCA = shared.authority.pem
        $0.serverName = "db.example"
      })
    #expect(pair.handshake().isComplete)

    let codes = { (file: [UInt8], words: String?) in
      code(IdentityOptions(pkcs12: file, passphrase: words.map { Array($0.utf8) }))?.code
    }
    #expect(codes(file, "wrong") == "passphrase-wrong")
    #expect(codes(file, nil) == "key-encrypted")
    #expect(codes(Array(file.dropLast(9)), "secret") == "pkcs12-malformed")
    #expect(codes(leaf.pem, "secret") == "pkcs12-malformed")
    #expect(codes(leaf.pkcs12([], others: []), nil) == nil)
  }

  // MARK: OCSP

  @Test func responsesAreJudgedWhenTheyAreLoaded() throws {
    let shared = try TestPKI.shared.get()
    let other = try ThrowawayAuthority.selfSigned(TestPKI.authority("Other"))
    let chain = shared.server.pem + shared.authority.pem
    let load = { (response: [UInt8], pem: [UInt8]) in
      IdentityOptions(certificates: [pem], privateKeys: [shared.server.keyPEM], ocspResponses: [response])
    }
    let good = OCSPWriter(shared.server, by: shared.authority)
    #expect(code(load(good.response, chain)) == nil)
    #expect(code(load([1, 2, 3], chain))?.code == "response-malformed")
    #expect(code(load(OCSPWriter.refusal, chain))?.code == "response-unsuccessful")
    #expect(
      code(load(OCSPWriter(shared.client, by: shared.authority).response, chain))?.code == "response-mismatch"
    )
    // The same serial number means nothing under another CA.
    var template = CertificateTemplate.server(
      "db.example", notBefore: TestPKI.notBefore, notAfter: TestPKI.notAfter)
    template.serial = [1, 2, 3]
    let numbered = try ThrowawayAuthority.issue(template, by: shared.authority)
    let alike = OCSPWriter(try ThrowawayAuthority.issue(template, by: other), by: other).response
    for pem in [numbered.pem, numbered.pem + shared.authority.pem] {
      let options = IdentityOptions(
        certificates: [pem], privateKeys: [numbered.keyPEM], ocspResponses: [alike])
      #expect(code(options)?.code == "response-mismatch")
    }
    var forged = good
    forged.signer = other
    let error = code(load(forged.response, chain))
    #expect(error?.code == "response-signature" && error?.subject == .ocspResponse)
    var endless = good
    endless.nextUpdate = nil
    #expect(code(load(endless.response, chain))?.code == "response-without-end")
    let twice = IdentityOptions(
      certificates: [chain], privateKeys: [shared.server.keyPEM],
      ocspResponses: [good.response, good.response])
    #expect(code(twice)?.code == "duplicate-response" && code(twice)?.file == 1)
    // Without the issuer at hand the signature cannot be checked, which is told.
    #expect(code(load(forged.response, shared.server.pem)) == nil)
    let unverified = try ServerContext(
      TestPKI.serverOptions { $0.identity = load(good.response, shared.server.pem) })
    #expect(unverified.findings(at: TestPKI.now).map(\.code) == ["response-unverified"])
  }

  /// Its first second, its last one, and those beside them.
  @Test func aResponseIsSentWhileItHolds() throws {
    let shared = try TestPKI.shared.get()
    let writer = OCSPWriter(shared.server, by: shared.authority)
    let end = try #require(writer.nextUpdate)
    let cases: [(Int64, Bool, [String])] = [
      (writer.thisUpdate.seconds - 1, false, ["response-not-yet-valid"]),
      (writer.thisUpdate.seconds, true, []),
      (end.seconds, true, []), (end.seconds + 1, false, ["response-stale"]),
    ]
    let response = writer.response
    let options = { (response: [UInt8]) in
      try TestPKI.serverOptions {
        $0.identity.certificates = [shared.server.pem + shared.authority.pem]
        $0.identity.ocspResponses = [response]
      }
    }
    for (seconds, isSent, codes) in cases {
      let now = Timestamp(seconds: seconds)
      let context = try ServerContext(options(response))
      #expect(context.findings(at: now).map(\.code) == codes)
      for asks in [true, false] {
        let pair = try InMemoryPair(context, TestPKI.clientOptions())
        if asks { pair.client.askForStatus() }
        #expect(pair.handshake(now: now).isComplete)
        #expect(pair.client.stapled == (isSent && asks ? response : nil))
      }
    }
    for status in [V_OCSP_CERTSTATUS_REVOKED, V_OCSP_CERTSTATUS_UNKNOWN] {
      var bad = writer
      bad.status = status
      let context = try ServerContext(options(bad.response))
      #expect(context.findings(at: TestPKI.now).map(\.code) == ["response-not-good"])
      let pair = try InMemoryPair(context, TestPKI.clientOptions())
      pair.client.askForStatus()
      #expect(pair.handshake().isComplete && pair.client.stapled == nil)
    }
  }
}
