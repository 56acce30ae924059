import AccessPolicy
import Testing

@testable import TLSEngine

@Suite struct HandshakeTests {
  @Test(arguments: TLSVersion.allCases)
  func verifiedClientCompletes(version: TLSVersion) throws {
    let pair = try InMemoryPair(
      TestPKI.serverOptions(),
      TestPKI.clientOptions {
        $0.maxVersion = version
        $0.serverName = "DB.Example"
        $0.serverCA = try? TestPKI.shared.get().authority.pem
      })
    #expect(pair.handshake().isComplete)
    #expect(pair.server.isEstablished)
    let facts = pair.server.facts
    #expect(facts[.subjectCN] == .texts(["worker"]))
    #expect(facts[.tlsVersion] == .text(version.rawValue))
    #expect(facts[.serverName] == .text("db.example"))
    #expect(facts[.chainLength] == .integer(2))
    #expect(facts[.resumed] == .flag(false))
    #expect(
      facts[.tlsCipher]
        == .text(version == .tls13 ? "TLS_AES_128_GCM_SHA256" : "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"))
    // The second one is what OpenSSL 3.5 prefers in TLS 1.3.
    #expect([.text("x25519"), .text("X25519MLKEM768")].contains(facts[.tlsGroup]))
    #expect(
      facts[.rootSHA256] == (try PeerCertificate.facts(TestPKI.shared.get().authority.certificate))[.sha256])
  }

  @Test(arguments: TLSVersion.allCases)
  func clientWithoutCertificateIsRefused(version: TLSVersion) throws {
    let pair = try InMemoryPair(TestPKI.serverOptions(), TLSClientOptions().speaking(version))
    let failure = try #require(pair.handshake().failure)
    #expect(failure.reason == .certificateMissing)
    #expect(failure.code == "SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE")
    #expect(!pair.sentByServer.isEmpty)
  }
}

extension TLSClientOptions {
  func speaking(_ version: TLSVersion) -> TLSClientOptions {
    var options = self
    options.maxVersion = version
    return options
  }
}
