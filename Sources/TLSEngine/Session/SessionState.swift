import AccessPolicy

/// What OpenSSL's callbacks learn of one session, at an address that the SSL object knows.
@safe
struct SessionState {
  /// Which host the client gets; the listener itself until it has said its hello.
  private(set) var host: ServerHost
  private let context: ServerContext
  /// What the worker remembers; nil: nothing.
  let cache: HandshakeCache?
  /// Our protocols as ALPN writes them; the context that the session holds keeps them alive.
  let alpn: UnsafeBufferPointer<UInt8>
  /// What ALPN must come to in this session.
  let requiredProtocol: String?
  /// The time at which the running call judges certificates.
  var now = Timestamp(nanoseconds: 0)
  var serverName: String?
  /// Whether the client has said a hello before; after a HelloRetryRequest it says a second one.
  var hasSaidHello = false
  /// Why one of our callbacks ended the handshake.
  var refusal: HandshakeFailure?
  /// What came of the certificates that the client presented, here or in the session that it resumes.
  var judgement: ChainJudgement?
  /// Facts of a certificate that was refused before OpenSSL could parse it.
  var screened: Facts?
  /// The type of the handshake message that came last (RFC 8446 §4).
  var lastMessage: UInt8?
  var isEstablished = false
  /// The session that the client was let resume.
  var resumed: KeptSession?
  /// A session that OpenSSL has made, until it is kept.
  var fresh: SessionReference?
  /// When the client has proven itself: here, or in the handshake whose session it resumed.
  var opened = Timestamp(nanoseconds: 0)
  /// The client gets a ticket with the first data.
  var owesTicket = false
  /// The session can only be dropped.
  var isBroken = false
  /// Records of type handshake that came after the handshake: KeyUpdate, or asking for a renegotiation.
  var laterHandshakeRecords = 0
  /// Bytes of application data received.
  var received = 0

  init(_ context: ServerContext, cache: HandshakeCache?, requiredProtocol: String?) {
    self.context = context
    host = context.ownHost
    self.cache = cache
    self.requiredProtocol = requiredProtocol
    isProtocolOptional = context.isProtocolOptional
    unsafe alpn = context.alpn
  }

  var verifier: ChainVerifier { host.verifier }

  /// Takes the host that the client's server name belongs to.
  /// - Returns: whether there is one.
  mutating func chooseHost() -> Bool {
    guard let chosen = context.host(for: serverName) else { return false }
    host = chosen
    return true
  }

  /// Facts of the certificate that the client presented, verified or not.
  var certificate: Facts? { judgement?.certificate ?? screened }
  var outcome: VerificationOutcome? { judgement?.outcome }

  /// Verifies what the client presents, or presented in the session that it resumes, at ``now``.
  /// - Parameters:
  ///   - leaf: `X509`; lent.
  ///   - presented: `STACK_OF(X509)`, the leaf first; lent.
  mutating func judge(leaf: OpaquePointer, presented: OpaquePointer?) {
    judgement =
      unsafe cache?.judge(leaf: leaf, presented: presented, by: verifier, at: now)
      ?? verifier.judge(leaf: leaf, presented: presented, at: now)
  }

  /// Where ALPN is spoken, whether a client may do without.
  private let isProtocolOptional: Bool

  /// Whether a client must name one of our protocols.
  var requiresProtocol: Bool { unsafe requiredProtocol != nil || (!alpn.isEmpty && !isProtocolOptional) }

  /// Each KeyUpdate costs a key schedule, and a peer may send them without end (CVE-2026-56862). Honest peers
  /// renew keys after gigabytes; a few dozen are free, then one for each 64 KiB of data.
  var isFlooded: Bool { laterHandshakeRecords > 32 + received >> 16 }
}
