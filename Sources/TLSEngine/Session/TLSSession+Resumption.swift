import AccessPolicy
import COpenSSL

extension TLSSession {
  /// OpenSSL resumes a session without a look at its certificate (CVE-2025-23419 and its kin): the chain that the
  /// session holds is verified as one that was presented now.
  func judgeResumed() {
    unsafe state.pointee.judgement = nil
    guard let presented else { return }
    unsafe presented.withPointers { unsafe state.pointee.judge(leaf: $0, presented: $1) }
  }

  /// Sees to it that the client can come back with what it has proven here.
  ///
  /// In TLS 1.2 the session has its id from the handshake. Without the extended master secret it is not bound to
  /// the handshake that made it (RFC 7627 §1), and is not kept.
  func offerResumption() {
    guard context.resumes, unsafe state.pointee.cache != nil else { return }
    unsafe state.pointee.opened = state.pointee.resumed?.opened ?? state.pointee.now
    if unsafe SSL_version(records.ssl) == TLS1_3_VERSION {
      unsafe state.pointee.owesTicket = true
    } else if unsafe shim_SSL_get_extms_support(records.ssl) == 1 {
      keepSession()
    }
  }

  /// Writes the first data with a ticket before it, in one piece: a ticket of its own would cost a packet, and a
  /// client that only sends and then closes would find it unread in its socket, and reset the connection.
  func writeWithTicket(_ source: UnsafeRawBufferPointer) -> WriteStep {
    guard unsafe !source.isEmpty, records.buffers.outboundRoom > RecordLayer.overhead else {
      return unsafe records.write(source)
    }
    unsafe state.pointee.owesTicket = false
    // The ticket says how long it is good for (RFC 8446 §4.6.1).
    guard let judgement = unsafe state.pointee.judgement, judgement.isKept,
      case let end = unsafe KeptSession.usable(opened: state.pointee.opened, judgement).upperBound,
      case let left = unsafe end - state.pointee.now.seconds, left > 0,
      let session = unsafe SSL_get_session(records.ssl),
      unsafe SSL_SESSION_set_timeout(session, Int(left)) == 1,
      unsafe SSL_new_session_ticket(records.ssl) == 1
    else { return unsafe records.write(source) }
    let step = unsafe records.write(source)
    // A message of the handshake gets OpenSSL to allocate both its buffers, 17 KB for reading alone, which would
    // stay until the client speaks next.
    _ = unsafe SSL_free_buffers(records.ssl)
    keepSession()
    return step
  }

  private func keepSession() {
    guard let session = unsafe state.pointee.fresh else { return }
    unsafe state.pointee.fresh = nil
    guard let kept = unsafe KeptSession(session, state.pointee) else { return }
    unsafe state.pointee.cache?.sessions.keep(kept, at: state.pointee.now)
  }

  /// After a fatal error nobody comes back with this session.
  func dropSession() {
    unsafe state.pointee.isBroken = true
    if let session = unsafe SSL_get_session(records.ssl) {
      unsafe SSL_CTX_remove_session(context.pointer, session)
    }
  }

  /// SSL_free takes a session that was not shut down for one that broke, and forbids its use. A client that hangs
  /// up without `close_notify` has broken nothing (RFC 8446 §6.1).
  func endOrderly() {
    guard unsafe state.pointee.isEstablished, unsafe !state.pointee.isBroken else { return }
    unsafe SSL_set_shutdown(records.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
  }
}
