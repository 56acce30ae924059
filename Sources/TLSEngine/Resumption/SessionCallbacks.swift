import COpenSSL

/// Where OpenSSL hands a session over and asks for one. The callbacks belong to the context; the worker whose
/// cache it is, to the connection.
enum SessionCallbacks {
  static func install(in context: OpaquePointer) {
    unsafe SSL_CTX_sess_set_new_cb(context, madeSession)
    unsafe SSL_CTX_sess_set_get_cb(context, findSession)
  }
}

/// Takes the session over; it is kept once the handshake has stood every check.
private func madeSession(_ ssl: OpaquePointer?, _ session: OpaquePointer?) -> Int32 {
  guard let session = unsafe session, let state = unsafe sessionState(ssl) else { return 0 }
  unsafe state.pointee.fresh = SessionReference(owning: session)
  return 1
}

/// Runs within the ClientHello, behind ``ServerCallbacks``: the server name and the host are known. Whatever is
/// wrong with a session leads to a full handshake, which says what it is, or finds that the client has a newer
/// certificate.
private func findSession(
  _ ssl: OpaquePointer?, _ id: UnsafePointer<UInt8>?, _ length: Int32, _ copy: UnsafeMutablePointer<Int32>?
) -> OpaquePointer? {
  // OpenSSL gets a reference of its own from us.
  unsafe copy?.pointee = 0
  guard let state = unsafe sessionState(ssl), let cache = unsafe state.pointee.cache,
    let key = unsafe CacheKey(UnsafeRawBufferPointer(start: id, count: Int(length)))
  else { return nil }
  let kept = unsafe cache.sessions.take(
    key, verifier: state.pointee.verifier.identity, serverName: state.pointee.serverName,
    at: state.pointee.now)
  unsafe state.pointee.resumed = kept
  guard let kept, unsafe SSL_SESSION_up_ref(kept.session.pointer) == 1 else { return nil }
  return unsafe kept.session.pointer
}
