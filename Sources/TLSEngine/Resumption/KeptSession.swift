import AccessPolicy
import COpenSSL

/// One reference to an `SSL_SESSION`: the secrets with which a client can go on, and what it had proven.
@safe
final class SessionReference {
  let pointer: OpaquePointer

  /// Takes over one reference.
  init(owning pointer: OpaquePointer) { unsafe self.pointer = pointer }

  deinit { unsafe SSL_SESSION_free(pointer) }

  /// nil where OpenSSL has given the session no id.
  var id: CacheKey? {
    var count: UInt32 = 0
    guard let start = unsafe SSL_SESSION_get_id(pointer, &count) else { return nil }
    return unsafe CacheKey(UnsafeRawBufferPointer(start: start, count: Int(count)))
  }

  /// OpenSSL takes a session back after a fatal alert on a connection that used it (RFC 5246 §7.2.2).
  var isResumable: Bool { unsafe SSL_SESSION_is_resumable(pointer) == 1 }

  /// A ticket that comes twice tells whoever watches that it is the same client (RFC 8446 §C.4).
  var isSingleUse: Bool { unsafe SSL_SESSION_get_protocol_version(pointer) == TLS1_3_VERSION }
}

/// A session that a client may resume, and under which conditions.
struct KeptSession {
  /// After that many seconds a client proves itself anew, however often it has resumed in between.
  static let lifetime: Int64 = 2 * 60 * 60

  let session: SessionReference
  /// Whose it is: the hash of what it presented.
  let client: CacheKey
  /// Who verified the client: another host, trust set or snapshot has another.
  let verifier: ChainVerifier.Identity
  /// What the client asked for; a session means nothing under another name (RFC 6066 §3).
  let serverName: String?
  /// When the client has proven itself.
  let opened: Timestamp
  /// The seconds in which it may be resumed: while the verdict over its chain is what it was, and not for ever.
  let usable: Range<Int64>
  /// About how many bytes it takes: OpenSSL keeps the certificates parsed, 5 KB each, of which few have less than
  /// 500 octets.
  let cost: Int

  /// - Returns: nil where the state knows no verdict that could be kept.
  init?(_ session: SessionReference, _ state: SessionState) {
    guard let judgement = state.judgement, judgement.isKept, let presented = judgement.presented
    else { return nil }
    self.session = session
    client = presented.hash
    verifier = state.verifier.identity
    serverName = state.serverName
    opened = state.opened
    usable = Self.usable(opened: state.opened, judgement)
    cost = 2048 + 10 * presented.bytes
  }

  static func usable(opened: Timestamp, _ judgement: ChainJudgement) -> Range<Int64> {
    judgement.holds.clamped(to: opened.seconds..<opened.seconds + lifetime)
  }

  /// Whether it is of no use any more, or was taken back.
  func isOver(at now: Timestamp) -> Bool { !session.isResumable || !usable.contains(now.seconds) }
}
