package import GatewayConfiguration

/// What happens on a connection before TLS, as a value: bytes in, steps out. First a PROXY header where one is
/// expected, then the words by which the listener's protocol asks for TLS.
///
/// Whatever comes here is plaintext from nobody known, so it decides nothing but whether TLS begins.
package struct Negotiation {
  package enum Step: Equatable, Sendable {
    /// More bytes are needed.
    case waits
    /// A trusted sender's word for where the client is; nil where it makes no claim.
    case proxied(ProxyHeader.Claim?)
    /// To be sent as it is.
    case answer([UInt8])
    /// The bytes behind are TLS: see ``rest``.
    case startTLS
    case cancel(PostgresCancelKey)
    /// What is wrong, for the log, and what the client is told in its protocol.
    case refuse(Problem)
  }

  package struct Problem: Equatable, Sendable {
    package enum Kind: Sendable { case proxyHeader, negotiation }
    package var kind: Kind
    package var message: String
    package var farewell: Farewell?
  }

  private enum Phase { case proxyHeader, greeting, request, requestBehindGSS, tls, done }

  private let wireProtocol: WireProtocol
  /// Where the server speaks first.
  private let greeting: [UInt8]?
  private var phase: Phase
  private let expectsProxyHeader: Bool
  private var bytes: [UInt8] = []
  /// The client began with TLS at once, without asking in plaintext (Postgres: `sslnegotiation=direct`).
  package private(set) var isDirect = false

  /// - Parameters:
  ///   - expectsProxyHeader: the peer is one that must begin with a PROXY header.
  ///   - greeting: the first packet of a MySQL server; nil for other protocols.
  package init(_ wireProtocol: WireProtocol, expectsProxyHeader: Bool, greeting: [UInt8]? = nil) {
    self.wireProtocol = wireProtocol
    self.greeting = greeting
    self.expectsProxyHeader = expectsProxyHeader
    phase = expectsProxyHeader ? .proxyHeader : .greeting
  }

  /// Hands over the bytes that were taken in and used by no step: ciphertext once TLS begins.
  package mutating func takeRest() -> [UInt8] {
    defer { bytes = [] }
    return bytes
  }

  /// The server has spoken.
  package var hasGreeted: Bool { phase != .proxyHeader && phase != .greeting }

  /// How many more bytes may be taken in: nothing that is read here is longer.
  package var room: Int { max(0, ProxyHeader.maxLength + MySQLPacket.maxReadLength - bytes.count) }

  package mutating func append(_ more: UnsafeRawBufferPointer) { unsafe bytes.append(contentsOf: more) }

  /// Goes on as far as the bytes allow; call it again until it ``Step/waits`` or has ended.
  package mutating func next() -> Step {
    switch phase {
    case .proxyHeader: return proxyHeader()
    case .greeting:
      phase = .request
      return greeting.map { .answer($0) } ?? request()
    case .request, .requestBehindGSS: return request()
    case .tls:
      phase = .done
      return .startTLS
    case .done: return .waits
    }
  }

  private mutating func proxyHeader() -> Step {
    switch ProxyHeader.parse(bytes.span) {
    case .incomplete: return .waits
    case .invalid(let problem): return .refuse(Problem(kind: .proxyHeader, message: problem))
    case .complete(let header, let length):
      bytes.removeFirst(length)
      phase = .greeting
      return .proxied(header.claim)
    }
  }

  private mutating func request() -> Step {
    switch wireProtocol {
    case .tcp:
      phase = .done
      return .startTLS
    case .postgres: return unexpectedHeader() ?? postgres()
    case .mysql: return unexpectedHeader() ?? mysql()
    }
  }

  /// A PROXY header where none may be: nobody's word is taken for it, and it is called what it is.
  private func unexpectedHeader() -> Step? {
    switch ProxyHeader.likeness(bytes.span) {
    case .different: return nil
    case .soFar: return .waits
    case .whole:
      let message = ProxyHeader.unexpected(isSecond: expectsProxyHeader)
      return .refuse(Problem(kind: .proxyHeader, message: message))
    }
  }

  private mutating func mysql() -> Step {
    switch MySQLClientHello.parse(bytes.span) {
    case .incomplete: return .waits
    case .invalid(let problem): return refuse(problem, .protocolViolation)
    case .complete(.withoutTLS, _): return refuse("the client wants to start without TLS", .tlsRequired)
    case .complete(.tlsRequest, let length):
      // The request has no answer, so clients begin with TLS right behind it. What stands there is read by TLS
      // alone, and never as if TLS had carried it.
      bytes.removeFirst(length)
      phase = .done
      return .startTLS
    }
  }

  private mutating func postgres() -> Step {
    guard let first = bytes.first else { return .waits }
    if first == PostgresFirstMessage.tlsHandshakeByte, phase == .request {
      isDirect = true
      phase = .done
      return .startTLS
    }
    switch PostgresFirstMessage.parse(bytes.span) {
    case .incomplete: return .waits
    case .invalid(let problem): return refuse(problem, .protocolViolation)
    case .complete(let message, let length):
      bytes.removeFirst(length)
      return postgres(message)
    }
  }

  private mutating func postgres(_ message: PostgresFirstMessage) -> Step {
    switch message {
    case .sslRequest:
      // Bytes behind the request came in plaintext and would be read as if TLS had carried them.
      guard bytes.isEmpty else {
        return refuse("bytes follow the SSLRequest before TLS has begun (CVE-2021-23214)", .protocolViolation)
      }
      phase = .tls
      return .answer(PostgresAnswer.acceptTLS)
    case .gssEncryptionRequest:
      guard bytes.isEmpty, phase == .request else {
        return refuse("a GSSENCRequest is followed by bytes, or by another one", .protocolViolation)
      }
      phase = .requestBehindGSS
      return .answer(PostgresAnswer.refuseGSSEncryption)
    case .cancel(let key):
      guard bytes.isEmpty else { return refuse("bytes follow the CancelRequest", .protocolViolation) }
      phase = .done
      return .cancel(key)
    case .startup: return refuse("the client wants to start without TLS", .tlsRequired)
    }
  }

  private func refuse(_ message: String, _ farewell: Farewell) -> Step {
    .refuse(Problem(kind: .negotiation, message: message, farewell: farewell))
  }
}
