import Testing

@testable import DataPlane

@Suite struct PostgresServerTests {
  static func message(_ type: Character, _ body: [UInt8]) -> [UInt8] {
    var bytes = Array(String(type).utf8)
    bytes.appendBig(body.count + 4, 4)
    return bytes + body
  }

  static let welcome =
    message("R", [0, 0, 0, 10] + Array("SCRAM-SHA-256\0\0".utf8)) + message("R", [0, 0, 0, 0])
    + message("N", Array("SNOTICE\0\0".utf8)) + message("v", [0, 3, 0, 0, 0, 0, 0, 0])
    + message("S", Array("server_version\015\0".utf8))
  static let ready = message("Z", [0x49])

  static func scanned(_ bytes: [UInt8], chunk: Int) -> PostgresBackendScan {
    var scan = PostgresBackendScan()
    for start in stride(from: 0, to: bytes.count, by: chunk) {
      scan.scan(Array(bytes[start..<min(start + chunk, bytes.count)]))
    }
    return scan
  }

  @Test(arguments: [4, 32, 256])
  func theKeyIsFoundHoweverItIsCut(_ length: Int) {
    let secret = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let bytes =
      Self.welcome + Self.message("K", [0x80, 0, 0, 7] + secret) + Self.ready + Self.message("D", [0, 0])
    for chunk in 1...bytes.count {
      let scan = Self.scanned(bytes, chunk: chunk)
      #expect(scan.outcome == .ready)
      #expect(scan.key == PostgresCancelKey(processID: 0x8000_0007, secret: secret))
    }
  }

  static let ends: [([UInt8], PostgresBackendScan.Outcome)] = [
    (welcome, .scanning),
    (welcome + ready, .ready),
    (welcome + message("E", Array("SFATAL\0\0".utf8)), .refused),
    (message("R", []), .scanning),
    ([0x52, 0, 0, 0, 3], .abandoned("the server sent a message with the length 3")),
    ([0x52, 0, 0, 0, 0], .abandoned("the server sent a message with the length 0")),
    ([0x52, 0x80, 0, 0, 0], .abandoned("the server sent a message with the length 2147483648")),
    ([0x52, 0xff, 0xff, 0xff, 0xff], .abandoned("the server sent a message with the length 4294967295")),
    (message("K", [0, 0, 0, 1, 1, 2, 3]), .abandoned("the server sent a BackendKeyData with the length 11")),
    (message("K", []), .abandoned("the server sent a BackendKeyData with the length 4")),
    (
      message("K", Array(repeating: 0, count: 4 + 257)),
      .abandoned("the server sent a BackendKeyData with the length 265")
    ),
    (
      message("K", Array(repeating: 0, count: 8)) + message("K", Array(repeating: 0, count: 8)),
      .abandoned("the server sent BackendKeyData twice")
    ),
    ([0x16, 3, 1], .abandoned("the server sent the message type 22")),
  ]

  @Test(arguments: ends)
  func aScanEndsOnce(_ bytes: [UInt8], _ outcome: PostgresBackendScan.Outcome) {
    for chunk in [1, 3, max(bytes.count, 1)] {
      var scan = Self.scanned(bytes, chunk: chunk)
      #expect(scan.outcome == outcome)
      #expect(scan.key == nil)
      guard outcome != .scanning else { continue }
      scan.scan(Self.message("K", Array(repeating: 1, count: 8)))
      #expect(scan.outcome == outcome && scan.key == nil)
    }
  }

  @Test func anErrorIsOneMessage() {
    let expected = Array("SFATAL\0VFATAL\0C28000\0Mno \\x00 é\0\0".utf8)
    #expect(
      PostgresAnswer.fatal(.invalidAuthorization, "no \0 é") == [0x45, 0, 0, 0, UInt8(expected.count + 4)]
        + expected)
    #expect(
      PostgresAnswer.State.allCases.map(\.rawValue).contains(where: { $0.utf8.count != 5 }) == false)
  }

  @Test func theUpstreamsAnswerToSSLRequest() {
    #expect(PostgresFirstMessage.parse(PostgresUpstreamTLS.request).completed?.value == .sslRequest)
    #expect(PostgresUpstreamTLS.answer([]).isIncomplete)
    #expect(PostgresUpstreamTLS.answer([0x53]).completed?.value == .accepted)
    #expect(PostgresUpstreamTLS.answer([0x4e]).completed?.value == .refused)
    for bytes: [UInt8] in [[0x53, 0x16], [0x4e, 0], [0x45], [0x45, 0, 0, 0, 5, 0], [0x47], [0x73], [0]] {
      #expect(PostgresUpstreamTLS.answer(bytes).problem != nil, "\(bytes)")
    }
  }
}
