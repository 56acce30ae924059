import AccessPolicy
import Testing

@testable import TLSEngine

@Suite struct ServerNameTests {
  static let names: [(String, ServerName)] = [
    ("db.example", .name("db.example")), ("DB.Example", .name("db.example")),
    ("db.example.", .name("db.example")), ("xn--bcher-kva.example", .name("xn--bcher-kva.example")),
    ("_svc.db-1.example", .name("_svc.db-1.example")), ("10.0.0.1", .name("10.0.0.1")), ("a", .name("a")),
    ("", .invalid), (".", .invalid), ("db.example..", .invalid), ("db..example", .invalid),
    (".db.example", .invalid), ("db example", .invalid), ("db\n.example", .invalid),
    ("bücher.example", .invalid),
    ("*.example", .invalid), ("::1", .invalid), ("db.example/x", .invalid),
    (String(repeating: "a", count: 63) + ".example", .name(String(repeating: "a", count: 63) + ".example")),
    (String(repeating: "a", count: 64) + ".example", .invalid),
    (String(repeating: "a.", count: 126) + "a", .name(String(repeating: "a.", count: 126) + "a")),
    (String(repeating: "a.", count: 127) + "a", .invalid),
  ]

  @Test(arguments: names)
  func isNormalised(text: String, expected: ServerName) {
    #expect(ServerName(host: text.utf8) == expected)
  }

  @Test func extensionIsReadExactly() {
    #expect(ServerName(extension: [0, 4, 0, 0, 1, 97]) == .name("a"))
    #expect(ServerName(extension: [0, 5, 0, 0, 1, 97]) == .invalid)
    #expect(ServerName(extension: [0, 4, 1, 0, 1, 97]) == .invalid)
    #expect(ServerName(extension: [0, 4, 0, 0, 2, 97]) == .invalid)
    #expect(ServerName(extension: [0, 8, 0, 0, 1, 97, 0, 0, 1, 98]) == .invalid)
    #expect(ServerName(extension: []) == .invalid)
  }

  static let sent: [(String, String?)] = [
    ("DB.Example", "db.example"), ("db.example.", "db.example"), ("db example", nil), ("*.example", nil),
  ]

  @Test(arguments: sent, TLSVersion.allCases)
  func isNormalisedOverTheWire(item: (String, String?), version: TLSVersion) throws {
    let pair = try InMemoryPair(
      TestPKI.serverOptions(), TestPKI.clientOptions { $0.serverName = item.0 }.speaking(version))
    let step = pair.handshake()
    #expect(pair.server.facts[.serverName] == item.1.map { .text($0) })
    #expect(step.isComplete == (item.1 != nil))
    if item.1 == nil {
      #expect(step.failure?.reason == .tlsProtocol)
      #expect(Array(pair.sentByServer.suffix(2)) == [2, 47])
    }
  }

  @Test func isKnownWhenTheHandshakeFailsEarly() throws {
    let pair = try InMemoryPair(
      TestPKI.serverOptions(),
      TestPKI.clientOptions {
        $0.serverName = "early.example"
        $0.maxVersion = .tls12
        $0.tls12Ciphers = "AES128-GCM-SHA256"
      })
    #expect(pair.handshake().failure?.code == "SSL_R_NO_SHARED_CIPHER")
    #expect(pair.server.facts[.serverName] == .text("early.example"))
  }
}
