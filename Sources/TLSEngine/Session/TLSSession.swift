package import AccessPolicy
import COpenSSL

/// The server's side of one TLS connection, over the buffers of the worker that owns it.
///
/// Confined to that worker's thread. All failures are values; after one, the session can only be dropped.
@safe
package final class TLSSession {
  let context: ServerContext
  let records: RecordLayer
  let state: UnsafeMutablePointer<SessionState>
  /// Whose trust the client's chain was verified under last.
  var trust: ServerContext

  /// The room that a write needs in the outbound buffer beside its data, in bytes.
  package static let recordOverhead = RecordLayer.overhead

  /// - Parameters:
  ///   - buffers: the worker's; the session keeps them alive and leaves nothing of its own in them.
  ///   - cache: the worker's; nil: each handshake is the first.
  ///   - requiredProtocol: what ALPN must come to, whatever the context would do without ALPN.
  ///   - recordSize: bytes of data that a record holds at most; nil: as many as TLS has room for.
  package init(
    _ context: ServerContext, buffers: RecordBuffers, cache: HandshakeCache? = nil,
    requiredProtocol: String? = nil, recordSize: Int? = nil
  ) throws(TLSError) {
    let records = try unsafe RecordLayer(
      context.pointer, buffers: buffers, recordSize: recordSize ?? RecordLayer.largestRecord)
    unsafe SSL_set_accept_state(records.ssl)
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: SessionState(context, cache: cache, requiredProtocol: requiredProtocol))
    guard unsafe shim_SSL_set_app_data(records.ssl, state) == 1 else {
      unsafe state.deinitialize(count: 1)
      unsafe state.deallocate()
      throw TLSError(message: "SSL_set_ex_data failed")
    }
    self.context = context
    self.trust = context
    self.records = records
  }

  deinit {
    endOrderly()
    // SSL_free, which follows, asks none of our callbacks; should it ever, it finds no state.
    unsafe _ = shim_SSL_set_app_data(records.ssl, nil)
    unsafe state.deinitialize(count: 1)
    unsafe state.deallocate()
  }

  /// Whether the handshake is complete and the client's chain verified.
  package var isEstablished: Bool { unsafe state.pointee.isEstablished }

  /// Goes on with the handshake as far as the inbound ciphertext reaches.
  /// - Parameter now: when the client's certificate is judged.
  package func handshake(now: Timestamp) -> HandshakeStep {
    if let refusal = unsafe state.pointee.refusal { return .failed(refusal) }
    if isEstablished { return .complete }
    unsafe state.pointee.now = now
    switch records.handshake() {
    case .blocked: return .incomplete
    case .failed(let errors): return fail(unsafe HandshakeDiagnosis.failure(state.pointee, errors))
    case .done:
      if unsafe SSL_session_reused(records.ssl) == 1 { judgeResumed() }
      if let failure = unsafe state.pointee.outcome?.failure { return fail(failure) }
      guard provesClient else {
        return fail(
          HandshakeFailure(
            reason: .certificateMissing, code: nil, message: "the handshake ended without a verified client"))
      }
      if let required = unsafe state.pointee.requiredProtocol,
        unsafe SessionFacts.selectedProtocol(records.ssl) != required
      {
        return fail(.noApplicationProtocol)
      }
      unsafe state.pointee.isEstablished = true
      offerResumption()
      return .complete
    }
  }

  /// OpenSSL and our verification both say so, of this handshake; and a session that was resumed is one of ours.
  private var provesClient: Bool {
    unsafe state.pointee.outcome?.isVerified == true && SSL_get_verify_result(records.ssl) == Int(X509_V_OK)
      && SSL_get0_peer_certificate(records.ssl) != nil
      && (SSL_session_reused(records.ssl) == 0 || state.pointee.resumed != nil)
  }

  private func fail(_ failure: HandshakeFailure) -> HandshakeStep {
    unsafe state.pointee.refusal = failure
    return .failed(failure)
  }

  /// What is known of the client so far: its certificate as far as it was received, verified or not, and
  /// what TLS has negotiated.
  package var facts: Facts {
    var facts = unsafe state.pointee.certificate ?? Facts()
    if let verified = unsafe state.pointee.outcome?.facts { facts.merge(verified) }
    facts.merge(unsafe SessionFacts.facts(of: records.ssl, serverName: state.pointee.serverName))
    return facts
  }

  /// The DER of the client's certificate; nil before the handshake is complete.
  package var peerCertificate: [UInt8]? {
    guard isEstablished, let certificate = unsafe SSL_get0_peer_certificate(records.ssl) else { return nil }
    return unsafe CertificateBytes.encoded { unsafe i2d_X509(certificate, $0) }
  }

  /// OpenSSL's own name of the cipher suite, as PROXY headers tell it; facts have the registered one.
  package var cipherName: String? {
    guard let cipher = unsafe SSL_get_current_cipher(records.ssl),
      let name = unsafe SSL_CIPHER_get_name(cipher)
    else { return nil }
    return unsafe String(cString: name)
  }

  /// Reads at most one record's data.
  package func read(into target: UnsafeMutableRawBufferPointer) -> ReadStep {
    guard isEstablished else { return .failed("the handshake is not complete") }
    var errors: [OpenSSLError] = []
    while true {
      let step = unsafe records.read(into: target, errors: &errors)
      if case .bytes(let count) = step { unsafe state.pointee.received &+= count }
      if unsafe state.pointee.isFlooded {
        dropSession()
        return .failed("the client floods the session with handshake messages")
      }
      guard let step else { continue }
      if case .failed = step { dropSession() }
      return step
    }
  }

  /// Encrypts into the outbound buffer as much as it has room for.
  package func write(_ source: UnsafeRawBufferPointer) -> WriteStep {
    guard isEstablished else { return .failed("the handshake is not complete") }
    let step = unsafe state.pointee.owesTicket ? writeWithTicket(source) : records.write(source)
    if case .failed = step { dropSession() }
    return step
  }

  /// Puts close_notify into the outbound buffer, once; reading goes on.
  package func sendCloseNotify() {
    if isEstablished { records.sendCloseNotify() }
  }
}

/// A session belongs to one thread.
@available(*, unavailable)
extension TLSSession: Sendable {}
