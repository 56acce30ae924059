import AccessPolicy
import DataPlane
import EventLoop
import GatewayConfiguration
import Testing

/// What is said before TLS, and the first message within it, cut in every place.
struct NegotiationTests {
  /// A step without the words that it is told in.
  enum Outcome: Equatable, Sendable {
    case proxied(String?)
    case answer([UInt8])
    case startTLS(direct: Bool)
    case cancel
    case refuse(Negotiation.Problem.Kind, Farewell?)
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    var wireProtocol = WireProtocol.postgres
    var proxied = false
    let bytes: [UInt8]
    let outcomes: [Outcome]
    /// Whether the place of a cut matters: bytes behind a request are refused if they come with it, and are TLS if
    /// they come behind the answer.
    var isWhole = false
    var testDescription: String { name }
  }

  static let header = Array("PROXY TCP4 192.0.2.7 198.51.100.1 4321 6432\r\n".utf8)
  static let headerV2: [UInt8] =
    [0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a] + [0x21, 0x11, 0, 12]
    + [192, 0, 2, 7, 198, 51, 100, 1, 0x10, 0xe1, 0x19, 0x20]
  static let hello: [UInt8] = [0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]

  static let violation = Outcome.refuse(.negotiation, .protocolViolation)
  static let rows = [
    Row(
      name: "SSLRequest", bytes: PostgresWire.sslRequest,
      outcomes: [.answer([UInt8(ascii: "S")]), .startTLS(direct: false)]),
    Row(
      name: "GSSENCRequest", bytes: PostgresWire.gssRequest, outcomes: [.answer([UInt8(ascii: "N")])]),
    Row(
      name: "bytes behind SSLRequest", bytes: PostgresWire.sslRequest + hello, outcomes: [violation],
      isWhole: true),
    Row(
      name: "bytes behind GSSENCRequest", bytes: PostgresWire.gssRequest + PostgresWire.sslRequest,
      outcomes: [violation], isWhole: true),
    Row(name: "direct TLS", bytes: hello, outcomes: [.startTLS(direct: true)]),
    Row(
      name: "startup in plaintext", bytes: PostgresWire.startup(),
      outcomes: [.refuse(.negotiation, .tlsRequired)]),
    Row(name: "cancel", bytes: PostgresWire.cancelRequest, outcomes: [.cancel]),
    Row(
      name: "bytes behind a cancel", bytes: PostgresWire.cancelRequest + [0], outcomes: [violation],
      isWhole: true),
    Row(name: "protocol 2", bytes: [0, 0, 0, 8, 0, 2, 0, 0], outcomes: [violation]),
    Row(name: "length 0", bytes: [0, 0, 0, 0, 0, 3, 0, 0], outcomes: [violation]),
    Row(name: "length -1", bytes: [0xff, 0xff, 0xff, 0xff, 0, 3, 0, 0], outcomes: [violation]),
    Row(name: "length 2^31 - 1", bytes: [0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0], outcomes: [violation]),
    Row(name: "http", bytes: Array("GET / HTTP/1.1\r\n\r\n".utf8), outcomes: [violation]),
    Row(name: "http with POST", bytes: Array("POST / HTTP/1.1\r\n\r\n".utf8), outcomes: [violation]),
    Row(name: "an unexpected header", bytes: header, outcomes: [.refuse(.proxyHeader, nil)]),
    Row(name: "an unexpected v2 header", bytes: headerV2, outcomes: [.refuse(.proxyHeader, nil)]),
    Row(
      name: "a header", proxied: true, bytes: header + PostgresWire.sslRequest,
      outcomes: [.proxied("192.0.2.7:4321"), .answer([UInt8(ascii: "S")]), .startTLS(direct: false)]),
    Row(
      name: "a v2 header", proxied: true, bytes: headerV2 + hello,
      outcomes: [.proxied("192.0.2.7:4321"), .startTLS(direct: true)]),
    Row(
      name: "UNKNOWN", proxied: true, bytes: Array("PROXY UNKNOWN\r\n".utf8) + PostgresWire.cancelRequest,
      outcomes: [.proxied(nil), .cancel]),
    Row(
      name: "two headers", proxied: true, bytes: header + header,
      outcomes: [.proxied("192.0.2.7:4321"), .refuse(.proxyHeader, nil)]),
    Row(
      name: "no header", proxied: true, bytes: PostgresWire.sslRequest, outcomes: [.refuse(.proxyHeader, nil)]
    ),
    Row(name: "TLS and no header", proxied: true, bytes: hello, outcomes: [.refuse(.proxyHeader, nil)]),
    Row(
      name: "an unexpected header before MySQL", wireProtocol: .mysql, bytes: header,
      outcomes: [.refuse(.proxyHeader, nil)]),
    Row(
      name: "an unexpected v2 header before MySQL", wireProtocol: .mysql, bytes: headerV2,
      outcomes: [.refuse(.proxyHeader, nil)]),
    Row(
      name: "a header before tcp", wireProtocol: .tcp, proxied: true, bytes: header + hello,
      outcomes: [.proxied("192.0.2.7:4321"), .startTLS(direct: false)]),
  ]

  /// Feeds the bytes in pieces, as far as the negotiation takes them.
  static func outcomes(_ row: Row, cutAt cuts: [Int]) -> [Outcome] {
    var negotiation = Negotiation(row.wireProtocol, expectsProxyHeader: row.proxied)
    var outcomes: [Outcome] = []
    var start = 0
    for end in cuts + [row.bytes.count] where end > start {
      unsafe row.bytes[start..<end].withUnsafeBytes { unsafe negotiation.append($0) }
      start = end
      while true {
        switch negotiation.next() {
        case .waits: break
        case .proxied(let claim):
          outcomes.append(.proxied(claim.map { "\($0.source)" }))
          continue
        case .answer(let bytes):
          outcomes.append(.answer(bytes))
          continue
        case .startTLS: return outcomes + [.startTLS(direct: negotiation.isDirect)]
        case .cancel: return outcomes + [.cancel]
        case .refuse(let problem): return outcomes + [.refuse(problem.kind, problem.farewell)]
        }
        break
      }
    }
    return outcomes
  }

  @Test(arguments: rows)
  func aNegotiation(_ row: Row) {
    #expect(Self.outcomes(row, cutAt: []) == row.outcomes)
    guard !row.isWhole else { return }
    for cut in 1..<row.bytes.count {
      #expect(Self.outcomes(row, cutAt: [cut]) == row.outcomes, "cut at \(cut)")
    }
    #expect(Self.outcomes(row, cutAt: Array(1..<row.bytes.count)) == row.outcomes, "byte by byte")
  }

  /// What comes with the header is not lost, and what is not there is waited for.
  @Test func theRestIsTLS() {
    var negotiation = Negotiation(.tcp, expectsProxyHeader: true)
    let bytes = Self.header + Self.hello
    unsafe bytes.withUnsafeBytes { unsafe negotiation.append($0) }
    guard case .proxied = negotiation.next() else { return #expect(Bool(false), "no header") }
    #expect(negotiation.next() == .startTLS)
    let rest = negotiation.takeRest()
    #expect(rest == Self.hello)
  }

  @Test func afterGSSTheClientAsksForTLSOrIsRefused() {
    for (next, isRefused) in [
      (PostgresWire.sslRequest, false), (PostgresWire.gssRequest, true), (Self.hello, true),
    ] {
      var negotiation = Negotiation(.postgres, expectsProxyHeader: false)
      unsafe PostgresWire.gssRequest.withUnsafeBytes { unsafe negotiation.append($0) }
      #expect(negotiation.next() == .answer([UInt8(ascii: "N")]))
      #expect(negotiation.next() == .waits)
      unsafe next.withUnsafeBytes { unsafe negotiation.append($0) }
      if case .refuse = negotiation.next() {
        #expect(isRefused)
      } else {
        #expect(!isRefused)
      }
    }
  }

  @Test func theRoomIsBounded() {
    var negotiation = Negotiation(.postgres, expectsProxyHeader: true)
    let room = negotiation.room
    #expect(room > ProxyHeader.maxLength)
    let bytes = [UInt8](repeating: 0, count: room)
    unsafe bytes.withUnsafeBytes { unsafe negotiation.append($0) }
    #expect(negotiation.room == 0)
  }

  // MARK: Within TLS

  struct Message: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    /// What the client wants; nil: it is refused.
    let wish: String?
    var rest: [UInt8] = []
    var testDescription: String { name }
  }

  static let messages = [
    Message(
      name: "startup", bytes: PostgresWire.startup(), wish: "as user \"orders_rw\" to database \"orders\""),
    Message(
      name: "no database", bytes: PostgresWire.startup([("user", "o")]),
      wish: "as user \"o\" to database \"o\""),
    Message(
      name: "more behind it", bytes: PostgresWire.startup() + [0x51, 0, 0],
      wish: "as user \"orders_rw\" to database \"orders\"",
      rest: [0x51, 0, 0]),
    Message(name: "two users", bytes: PostgresWire.startup([("user", "a"), ("user", "b")]), wish: nil),
    Message(
      name: "a long user", bytes: PostgresWire.startup([("user", String(repeating: "u", count: 64))]),
      wish: nil),
    Message(name: "SSLRequest", bytes: PostgresWire.sslRequest, wish: nil),
    Message(name: "GSSENCRequest", bytes: PostgresWire.gssRequest, wish: nil),
    Message(name: "cancel with bytes", bytes: PostgresWire.cancelRequest + [0], wish: nil),
    Message(name: "length 2^31 - 1", bytes: [0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0], wish: nil),
    Message(name: "length 0", bytes: [0, 0, 0, 0], wish: nil),
  ]

  @Test(arguments: messages)
  func anIntroduction(_ row: Message) {
    var whole = Introduction(.postgres)
    unsafe row.bytes.withUnsafeBytes { unsafe whole.append($0) }
    switch whole.next() {
    case .waits: Issue.record("it waits for more")
    case .complete(let purpose):
      #expect(purpose.wish == row.wish)
      let rest = whole.takeRest()
      #expect(rest == row.rest)
    case .refuse: #expect(row.wish == nil)
    }
  }

  @Test func aFirstMessageByteByByte() {
    let bytes = PostgresWire.startup()
    var introduction = Introduction(.postgres)
    for (position, byte) in bytes.enumerated() {
      #expect(introduction.next() == .waits, "behind \(position) bytes")
      unsafe [byte].withUnsafeBytes { unsafe introduction.append($0) }
    }
    guard case .complete(.postgres(let startup)) = introduction.next() else {
      return #expect(Bool(false), "it is not complete")
    }
    #expect(startup.message == bytes)
    let rest = introduction.takeRest()
    #expect(rest.isEmpty)
  }

  // MARK: Small things

  @Test func anOpeningIsToldInPieces() {
    let headers: [([UInt8], Bool)] = [
      (Self.header, true), (Self.headerV2, true), (Self.hello, false), (Array("POST /".utf8), false),
      (Array("PROX".utf8), false), ([], false),
    ]
    for (bytes, isHeader) in headers {
      for size in [1, 2, 3, max(1, bytes.count)] {
        var opening = ProxyHeaderOpening()
        for start in stride(from: 0, to: bytes.count, by: size) {
          unsafe bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { unsafe opening.note($0) }
        }
        #expect(opening.isProxyHeader == isHeader)
      }
    }
  }

  @Test func aServerIsReadyBehindReadyForQueryAlone() {
    let tails: [([UInt8], Bool)] = [
      (PostgresWire.welcome, true), (PostgresWire.ready, true), ([0x5a, 0, 0, 0, 5, 0x54], true),
      ([0x5a, 0, 0, 0, 5, 0x45], true), ([0x5a, 0, 0, 0, 5, 0x46], false), ([0x5a, 0, 0, 0, 6, 0x49], false),
      (PostgresWire.ready + [0x44], false), ([0, 0, 0, 5, 0x49], false), ([], false),
    ]
    for (bytes, isReady) in tails {
      for size in [1, 4, max(1, bytes.count)] {
        var tail = PostgresServerTail()
        for start in stride(from: 0, to: bytes.count, by: size) {
          unsafe bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { unsafe tail.note($0) }
        }
        #expect(tail.isReadyForQuery == isReady)
      }
    }
  }
}
