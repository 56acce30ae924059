package import AccessPolicy

extension AuditEvent {
  /// A connection ended before it could be judged.
  package struct HandshakeFailed: Hashable, Sendable {
    package var context: ConnectionContext
    package var reason: HandshakeReason
    /// `error.code`: OpenSSL's own name, such as `X509_V_ERR_CERT_HAS_EXPIRED`.
    package var code: String?
    /// `error.message`: a sentence for people.
    package var message: String
    /// The certificate that failed: 0 is the leaf.
    package var depth: Int?
    /// The subject of the certificate that failed, as RFC 4514 text.
    package var subject: String?

    package init(
      context: ConnectionContext, reason: HandshakeReason, code: String? = nil, message: String,
      depth: Int? = nil, subject: String? = nil
    ) {
      self.context = context
      self.reason = reason
      self.code = code
      self.message = message
      self.depth = depth
      self.subject = subject
    }
  }

  /// How a connection that got its upstream came to its end.
  package struct Ending: Hashable, Sendable {
    /// Who ended it.
    package enum Party: String, Sendable, CaseIterable { case client, upstream, gateway }

    package var party: Party
    /// Plaintext bytes that were relayed from the client to the upstream.
    package var bytesFromClient: UInt64
    /// Plaintext bytes that were relayed from the upstream to the client.
    package var bytesFromUpstream: UInt64
    /// A peer dropped TCP without `close_notify`: its last bytes may be missing (RFC 8446 §6.1).
    package var truncated: Bool
    /// From accept to end, by the monotonic clock; `event.end` is the context's start plus this.
    package var duration: Duration

    package init(
      by party: Party, bytesFromClient: UInt64, bytesFromUpstream: UInt64, truncated: Bool = false,
      duration: Duration
    ) {
      self.party = party
      self.bytesFromClient = bytesFromClient
      self.bytesFromUpstream = bytesFromUpstream
      self.truncated = truncated
      self.duration = duration
    }
  }

  /// A relayed connection ended by itself, by a limit or by a drain.
  package struct ConnectionClosed: Hashable, Sendable {
    package var connection: JudgedConnection
    package var reason: CloseReason
    package var ending: Ending

    package init(connection: JudgedConnection, reason: CloseReason, ending: Ending) {
      self.connection = connection
      self.reason = reason
      self.ending = ending
    }
  }

  /// A live connection lost its permission.
  package struct ConnectionRevoked: Hashable, Sendable {
    /// The connection with the decision that had let it in.
    package var connection: JudgedConnection
    package var reason: RevocationReason
    /// What changed, for people: the rule, the CRL, the CA, the moment of expiry.
    package var change: String
    /// The decision under the new policies, where a new judgement ended the connection.
    package var judgedAgain: Decision?
    package var ending: Ending

    package init(
      connection: JudgedConnection, reason: RevocationReason, change: String,
      judgedAgain: Decision? = nil, ending: Ending
    ) {
      self.connection = connection
      self.reason = reason
      self.change = change
      self.judgedAgain = judgedAgain
      self.ending = ending
    }
  }

  /// An allowed connection did not get its upstream.
  package struct UpstreamFailed: Hashable, Sendable {
    package var connection: JudgedConnection
    package var reason: FailureReason
    /// `error.code`, such as `ECONNREFUSED`.
    package var code: String?
    package var message: String
    /// From accept to failure, by the monotonic clock.
    package var duration: Duration

    package init(
      connection: JudgedConnection, reason: FailureReason, code: String? = nil, message: String,
      duration: Duration
    ) {
      self.connection = connection
      self.reason = reason
      self.code = code
      self.message = message
      self.duration = duration
    }
  }

  /// A limit kept connections out or ended one.
  package struct LimitReached: Hashable, Sendable {
    /// Whom the limit counts together.
    package enum Scope: String, Sendable, CaseIterable { case gateway, listener, source, caller }

    /// The configuration's key, such as `max_connections`.
    package var limit: String
    package var value: Int
    package var scope: Scope
    /// The connection that met the limit.
    package var context: ConnectionContext
    /// The caller, where it is known.
    package var caller: Caller?
    /// How many connections this record stands for: a flood is summed up, not written line by line.
    package var count: Int

    package init(
      limit: String, value: Int, scope: Scope, context: ConnectionContext, caller: Caller? = nil,
      count: Int = 1
    ) {
      self.limit = limit
      self.value = value
      self.scope = scope
      self.context = context
      self.caller = caller
      self.count = count
    }
  }
}
