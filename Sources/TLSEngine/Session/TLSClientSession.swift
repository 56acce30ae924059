package import AccessPolicy
import COpenSSL

/// The client's side of one TLS connection. Confined to the thread that made it.
@safe
package final class TLSClientSession {
  private let records: RecordLayer
  private var established = false

  /// - Parameter buffers: the thread's; the session keeps them alive.
  package init(_ context: TLSClientContext, buffers: RecordBuffers) throws(TLSError) {
    let records = try unsafe RecordLayer(context.pointer, buffers: buffers)
    unsafe SSL_set_connect_state(records.ssl)
    if let name = context.options.serverName {
      var accepted = unsafe shim_SSL_set_tlsext_host_name(records.ssl, name) == 1
      if context.options.serverCA != nil {
        accepted = unsafe SSL_set1_host(records.ssl, name) == 1 && accepted
      }
      guard accepted else { throw TLSError(message: "the server name \"\(name)\" cannot be sent") }
    }
    self.records = records
  }

  /// How far a handshake has come; the text of a failure is for people.
  package enum Step: Hashable, Sendable { case incomplete, complete, failed(String) }

  /// Goes on with the handshake as far as the inbound ciphertext reaches.
  ///
  /// In TLS 1.3 a client is done before the server has judged its certificate: a refusal comes with a read.
  /// - Parameter now: when the server's certificate is judged.
  package func handshake(now: Timestamp) -> Step {
    if established { return .complete }
    unsafe X509_VERIFY_PARAM_set_time(SSL_get0_param(records.ssl), Int(now.seconds))
    switch records.handshake() {
    case .blocked: return .incomplete
    case .failed(let errors): return .failed(OpenSSLErrors.sentence(errors))
    case .done:
      established = true
      return .complete
    }
  }

  /// Reads at most one record's data.
  package func read(into target: UnsafeMutableRawBufferPointer) -> ReadStep {
    while true { if let step = unsafe records.read(into: target) { return step } }
  }

  /// Encrypts into the outbound buffer as much as it has room for.
  package func write(_ source: UnsafeRawBufferPointer) -> WriteStep { unsafe records.write(source) }

  /// Puts close_notify into the outbound buffer, once; reading goes on.
  package func sendCloseNotify() { records.sendCloseNotify() }

  /// The protocol that the server selected, or nil.
  package var alpn: String? { unsafe SessionFacts.selectedProtocol(records.ssl) }

  /// Whether the session could be resumed later: whether the server gave it a ticket or a session id.
  package var isResumable: Bool {
    guard let session = unsafe SSL_get_session(records.ssl) else { return false }
    return unsafe SSL_SESSION_is_resumable(session) == 1
  }

  /// Offers to resume another connection's session; before the handshake.
  /// - Returns: whether OpenSSL will.
  package func resume(_ other: TLSClientSession) -> Bool {
    unsafe SSL_set_session(records.ssl, SSL_get_session(other.records.ssl)) == 1
  }

  /// How many certificates the server sent.
  package var peerChainCount: Int {
    unsafe SSL_get_peer_cert_chain(records.ssl).map { unsafe Int(shim_sk_X509_num($0)) } ?? 0
  }

  /// Puts a KeyUpdate before the next write (RFC 8446 §4.6.3).
  /// - Returns: whether OpenSSL will, which needs TLS 1.3.
  package func updateKeys() -> Bool { unsafe SSL_key_update(records.ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 }

  /// Asks for a renegotiation, which TLS 1.3 does not have.
  /// - Returns: whether OpenSSL will.
  package func renegotiate() -> Bool { unsafe SSL_renegotiate(records.ssl) == 1 }

  /// Lets OpenSSL write what is due besides data: a KeyUpdate, a renegotiation.
  package func pump() { _ = records.handshake() }
}

/// A session belongs to one thread.
@available(*, unavailable)
extension TLSClientSession: Sendable {}
