package import AccessPolicy
import COpenSSL

/// The client's side of one TLS connection. Confined to the thread that made it.
@safe
package final class TLSClientSession {
  let records: RecordLayer
  private var established = false
  /// Why the session broke behind the handshake. In TLS 1.3 that is where a server refuses a client's certificate.
  package private(set) var refusal: Failure?

  /// - Parameters:
  ///   - serverName: a DNS name or an IP address, where the context's options have none.
  ///   - buffers: the thread's; the session keeps them alive.
  /// - Throws: also where the server is to be verified and nobody says whom its certificate must name.
  package init(
    _ context: TLSClientContext, serverName: String? = nil, buffers: RecordBuffers
  ) throws(TLSError) {
    let records = try unsafe RecordLayer(context.pointer, buffers: buffers)
    unsafe SSL_set_connect_state(records.ssl)
    let isVerifying = context.options.serverCA != nil
    if let name = context.options.serverName ?? serverName {
      guard unsafe Self.expect(name, of: records.ssl, isVerifying: isVerifying) else {
        throw TLSError(message: "the server name \"\(name)\" cannot be used")
      }
    } else if isVerifying {
      // A certificate of the right CA for somebody else is somebody else.
      throw TLSError(message: "nothing says which name the server's certificate must have")
    }
    self.records = records
  }

  /// Sends the name as SNI, which knows DNS names alone (RFC 6066 §3), and looks for it in the certificate.
  private static func expect(_ name: String, of ssl: OpaquePointer, isVerifying: Bool) -> Bool {
    if IPAddress(name) != nil {
      return unsafe !isVerifying || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1
    }
    guard unsafe shim_SSL_set_tlsext_host_name(ssl, name) == 1 else { return false }
    unsafe SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
    return unsafe !isVerifying || SSL_set1_host(ssl, name) == 1
  }

  /// Why a handshake failed.
  package struct Failure: Hashable, Sendable {
    /// OpenSSL's own name, such as `X509_V_ERR_CERT_HAS_EXPIRED`.
    package var code: String?
    /// One sentence for people, without a full stop.
    package var message: String
  }

  /// How far a handshake has come.
  package enum Step: Hashable, Sendable { case incomplete, complete, failed(Failure) }

  /// Goes on with the handshake as far as the inbound ciphertext reaches.
  ///
  /// In TLS 1.3 a client is done before the server has judged its certificate: a refusal comes with a read.
  /// - Parameter now: when the server's certificate is judged.
  package func handshake(now: Timestamp) -> Step {
    if established { return .complete }
    unsafe X509_VERIFY_PARAM_set_time(SSL_get0_param(records.ssl), Int(now.seconds))
    switch records.handshake() {
    case .blocked: return .incomplete
    case .failed(let errors): return .failed(failure(errors))
    case .done:
      established = true
      return .complete
    }
  }

  /// A server that does not verify is told by what is wrong with it, not by "certificate verify failed".
  private func failure(_ errors: [OpenSSLError]) -> Failure {
    let result = Int32(truncatingIfNeeded: unsafe SSL_get_verify_result(records.ssl))
    guard result != X509_V_OK else {
      return Failure(
        code: errors.first(where: \.isSSL)?.symbol, message: OpenSSLErrors.sentence(errors))
    }
    return Failure(
      code: VerificationErrors.describe(result).name,
      message: "the server's certificate is not accepted: \(VerificationErrors.sentence(result))")
  }

  /// Reads at most one record's data.
  package func read(into target: UnsafeMutableRawBufferPointer) -> ReadStep {
    var errors: [OpenSSLError] = []
    while true {
      guard let step = unsafe records.read(into: target, errors: &errors) else { continue }
      if case .failed = step { refusal = failure(errors) }
      return step
    }
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
