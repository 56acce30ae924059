import AccessPolicy
import Testing

@testable import TLSEngine

/// What is spoken and what is refused before a certificate is even looked at.
@Suite struct ProtocolTests {
  struct NegotiationCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var ours: [String]
    var theirs: [String]
    var selected: String?
    var refused = false
  }

  static let negotiations: [NegotiationCase] = [
    .init(testDescription: "none on either side", ours: [], theirs: [], selected: nil),
    .init(testDescription: "client's are ignored without ours", ours: [], theirs: ["h2"], selected: nil),
    .init(testDescription: "our order counts", ours: ["b", "a"], theirs: ["a", "b"], selected: "b"),
    .init(
      testDescription: "the common one", ours: ["x", "postgresql"], theirs: ["postgresql"],
      selected: "postgresql"),
    .init(
      testDescription: "nothing in common", ours: ["h2"], theirs: ["http/1.1"], selected: nil, refused: true),
    .init(
      testDescription: "a prefix is another name", ours: ["h2"], theirs: ["h2c", "h"], selected: nil,
      refused: true),
    .init(testDescription: "no extension at all", ours: ["h2"], theirs: [], selected: nil, refused: true),
  ]

  @Test(arguments: negotiations, TLSVersion.allCases)
  func applicationProtocol(_ item: NegotiationCase, _ version: TLSVersion) throws {
    let pair = try InMemoryPair(
      TestPKI.serverOptions { $0.alpn = item.ours },
      TestPKI.clientOptions {
        $0.alpn = item.theirs
        $0.maxVersion = version
      })
    let step = pair.handshake()
    #expect(step.isComplete == !item.refused)
    #expect(pair.server.facts[.alpn] == item.selected.map { .text($0) })
    guard item.refused else { return }
    #expect(step.failure?.reason == .tlsProtocol)
    #expect(step.failure?.code == "SSL_R_NO_APPLICATION_PROTOCOL")
    // RFC 7301 §3.2: fatal alert 120, in plain text before any key is agreed.
    #expect(Array(pair.sentByServer.suffix(2)) == [2, 120])
  }

  @Test func refusesProtocolNamesThatALPNCannotCarry() throws {
    for name in ["", String(repeating: "x", count: 256)] {
      let error = #expect(throws: TLSConfigurationError.self) {
        try ServerContext(TestPKI.serverOptions { $0.alpn = [name] })
      }
      #expect(error?.subject == .alpn)
    }
  }

  /// A ClientHello of TLS 1.1: libssl of today would rather not make one.
  @Test func refusesTLS11() throws {
    let pair = try InMemoryPair(TestPKI.serverOptions(), TLSClientOptions().speaking(.tls12))
    pair.fromClient = { bytes in if bytes.count > 11 { bytes[10] = 2 } }
    let failure = try #require(pair.handshake().failure)
    #expect(failure.reason == .tlsProtocol)
    #expect(failure.code == "SSL_R_UNSUPPORTED_PROTOCOL")
    // protocol_version
    #expect(Array(pair.sentByServer.suffix(2)) == [2, 70])
  }

  @Test func minimumOf13RefusesTLS12() throws {
    let pair = try InMemoryPair(
      TestPKI.serverOptions { $0.minVersion = .tls13 }, TestPKI.clientOptions { $0.maxVersion = .tls12 })
    let failure = try #require(pair.handshake().failure)
    #expect(failure.reason == .tlsProtocol)
    #expect(failure.code == "SSL_R_UNSUPPORTED_PROTOCOL")
  }

  @Test(arguments: [
    "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES128-GCM-SHA256",
  ])
  func refusesWeakCiphers(name: String) throws {
    var options = try TestPKI.serverOptions()
    if !name.contains("ECDSA") {
      let rsa = try ThrowawayAuthority.issue(
        VerificationCase.changed(
          .server("db.example", notBefore: TestPKI.notBefore, notAfter: TestPKI.notAfter)
        ) {
          $0.keyType = .rsa(2048)
          $0.keyUsage = [.digitalSignature, .keyEncipherment]
        }, by: TestPKI.shared.get().authority)
      options.certificateChain = rsa.pem
      options.privateKey = rsa.keyPEM
    }
    let pair = try InMemoryPair(
      options,
      TestPKI.clientOptions {
        $0.maxVersion = .tls12
        $0.tls12Ciphers = name
      })
    let failure = try #require(pair.handshake().failure)
    #expect(failure.reason == .tlsProtocol)
    #expect(failure.code == "SSL_R_NO_SHARED_CIPHER")
  }

  struct Garbage: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var bytes: [UInt8]
    var code: String?
  }

  static let garbage: [Garbage] = [
    .init(testDescription: "HTTP", bytes: Array("GET / HTTP/1.1\r\n\r\n".utf8), code: "SSL_R_HTTP_REQUEST"),
    .init(
      testDescription: "text", bytes: Array("SSH-2.0-OpenSSH_9.2\r\n".utf8),
      code: "SSL_R_WRONG_VERSION_NUMBER"),
    .init(testDescription: "zeros", bytes: [UInt8](repeating: 0, count: 64), code: nil),
    .init(
      testDescription: "records of nothing",
      bytes: Array(repeating: [22, 3, 1, 0, 0], count: 64).flatMap { $0 },
      code: nil),
    .init(testDescription: "a hello of rubbish", bytes: [22, 3, 1, 0, 8, 1, 0, 0, 4, 9, 9, 9, 9], code: nil),
    .init(testDescription: "an alert first", bytes: [21, 3, 1, 0, 2, 2, 48], code: nil),
  ]

  @Test(arguments: garbage)
  func garbageEndsTheSession(_ item: Garbage) throws {
    let buffers = RecordBuffers(inboundCapacity: 4096, outboundCapacity: 4096)
    let session = try TLSSession(ServerContext(TestPKI.serverOptions()), buffers: buffers)
    var bytes = item.bytes
    _ = buffers.give(&bytes)
    let failure = try #require(session.handshake(now: TestPKI.now).failure)
    #expect(failure.reason == .tlsProtocol)
    if let code = item.code { #expect(failure.code == code) }
    #expect(failure.code?.hasPrefix("SSL_R_") == true)
    // It stays failed, with the same reason.
    #expect(session.handshake(now: TestPKI.now).failure == failure)
  }

  @Test func clientsAlertIsNamed() throws {
    let pair = try InMemoryPair(
      TestPKI.serverOptions(),
      TestPKI.clientOptions {
        $0.serverName = "localhost"
        $0.serverCA = try? ThrowawayAuthority.selfSigned(TestPKI.authority("Other")).pem
      })
    let failure = try #require(pair.handshake().failure)
    #expect(failure.reason == .tlsProtocol)
    #expect(failure.code == "SSL_R_TLSV1_ALERT_UNKNOWN_CA")
    #expect(failure.message == "the client sent the alert \"unknown CA\" (48)")
  }

  /// The Certificate message of TLS 1.2 goes over in plain text, so it can be spoilt on its way.
  @Test func certificateThatCannotBeParsed() throws {
    let pair = try InMemoryPair(TestPKI.serverOptions(), TestPKI.clientOptions { $0.maxVersion = .tls12 })
    let der = try TestPKI.shared.get().client.der
    pair.fromClient = { bytes in
      guard let at = bytes.firstRange(of: der.prefix(16))?.lowerBound else { return }
      bytes[at + 4] = 0x31
    }
    let failure = try #require(pair.handshake().failure)
    #expect(failure.reason == .certificateMalformed)
    #expect(pair.server.facts[.sha256] == nil)
  }

  /// Certificates beyond the bound on their bytes are refused before any of them is parsed.
  @Test func certificateListOverItsBytes() throws {
    let fat = try TestPKI.client {
      $0.extensions = [IssuedExtension("1.2.3.4.5", DER.octets([UInt8](repeating: 7, count: 66_000)))]
    }
    let pair = try InMemoryPair(
      TestPKI.serverOptions(),
      TestPKI.clientOptions {
        $0.certificateChain = fat.pem
        $0.privateKey = fat.keyPEM
      }, capacity: 200_000)
    let failure = try #require(pair.handshake().failure)
    #expect(failure.reason == .chainTooLong)
    #expect(failure.code == "SSL_R_EXCESSIVE_MESSAGE_SIZE")
    #expect(pair.server.facts[.sha256] == nil)
  }

  @Test(arguments: TLSVersion.allCases)
  func neitherTicketNorAuthorityGoesToTheClient(version: TLSVersion) throws {
    let pair = try InMemoryPair(
      TestPKI.serverOptions { $0.resumes = false }, TestPKI.clientOptions().speaking(version))
    #expect(pair.handshake().isComplete)
    #expect(!pair.client.isResumable)
    // Our own certificate alone, although the CA that issued it is trusted for clients (NO_AUTO_CHAIN).
    #expect(pair.client.peerChainCount == 1)
    // RFC 8446 §4.6.1: a ticket would come as a record behind the handshake, once the client reads.
    let sent = pair.sentByServer.count
    let data = [UInt8]("x".utf8)
    #expect(pair.client.send(data) == .bytes(1))
    pair.carryToServer()
    #expect(pair.server.receive().step == .bytes(1))
    pair.carryToClient()
    #expect(pair.sentByServer.count == sent)
    #expect(pair.clientReads() == .wouldBlock)
    #expect(!pair.client.isResumable)
  }

  @Test(arguments: TLSVersion.allCases)
  func nothingIsResumedWhereNothingIsRemembered(version: TLSVersion) throws {
    let options = try TestPKI.clientOptions().speaking(version)
    let context = try ServerContext(TestPKI.serverOptions())
    let first = try InMemoryPair(context, options)
    #expect(first.handshake().isComplete)
    let second = try InMemoryPair(context, options)
    #expect(second.client.resume(first.client))
    #expect(second.handshake().isComplete)
    #expect(second.server.facts[.resumed] == .flag(false))
    #expect(second.server.facts[.subjectCN] == .texts(["worker"]))
    #expect(second.client.peerChainCount == 1)
  }

  @Test func renegotiationIsRefused() throws {
    let pair = try InMemoryPair(
      TestPKI.serverOptions(),
      TestPKI.clientOptions {
        $0.maxVersion = .tls12
        $0.allowsRenegotiation = true
      })
    #expect(pair.handshake().isComplete)
    let sent = pair.sentByServer.count
    #expect(pair.client.renegotiate())
    pair.client.pump()
    #expect(pair.carryToServer())
    #expect(pair.server.receive().step == .wouldBlock)
    pair.carryToClient()
    // An alert and nothing of a handshake: header 5, explicit nonce 8, alert 2, tag 16.
    #expect(pair.sentByServer.count - sent == 31)
    #expect(pair.sentByServer[sent] == 21)
  }
}
