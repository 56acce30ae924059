import AccessPolicy
import COpenSSL

/// Where OpenSSL asks us during a handshake. Each callback finds its session's state, or fails closed.
enum ServerCallbacks {
  static func install(in context: OpaquePointer) {
    unsafe SSL_CTX_set_client_hello_cb(context, receivedClientHello, nil)
    unsafe SSL_CTX_set_alpn_select_cb(context, selectProtocol, nil)
    unsafe SSL_CTX_set_cert_verify_callback(context, verifyChain, nil)
    unsafe SSL_CTX_set_msg_callback(context, sawMessage)
  }
}

func sessionState(_ ssl: OpaquePointer?) -> UnsafeMutablePointer<SessionState>? {
  guard let ssl = unsafe ssl else { return nil }
  return unsafe shim_SSL_get_app_data(ssl)?.assumingMemoryBound(to: SessionState.self)
}

/// Runs before OpenSSL looks at any extension, so that the name that the client asked for is known however
/// the handshake ends, and a client without ALPN is refused where a protocol is required: OpenSSL asks
/// ``selectProtocol`` only if the extension is there.
private func receivedClientHello(
  _ ssl: OpaquePointer?, _ alert: UnsafeMutablePointer<Int32>?, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
  guard let state = unsafe sessionState(ssl) else { return SSL_CLIENT_HELLO_ERROR }
  // A second hello (HelloRetryRequest) begins anew.
  unsafe state.pointee.resumed = nil
  switch unsafe ServerName.read(fromHelloOf: ssl) {
  case .absent: unsafe state.pointee.serverName = nil
  case .name(let name): unsafe state.pointee.serverName = name
  case .invalid:
    unsafe state.pointee.refusal = HandshakeFailure(
      reason: .tlsProtocol, code: "SSL_R_BAD_EXTENSION",
      message: "the server name that the client asks for is not a host name (RFC 6066 §3)")
    unsafe alert?.pointee = SSL_AD_ILLEGAL_PARAMETER
    return SSL_CLIENT_HELLO_ERROR
  }
  let alpn = UInt32(TLSEXT_TYPE_application_layer_protocol_negotiation)
  if unsafe state.pointee.requiresProtocol, unsafe SSL_client_hello_get0_ext(ssl, alpn, nil, nil) != 1 {
    unsafe state.pointee.refusal = .noApplicationProtocol
    unsafe alert?.pointee = SSL_AD_NO_APPLICATION_PROTOCOL
    return SSL_CLIENT_HELLO_ERROR
  }
  return SSL_CLIENT_HELLO_SUCCESS
}

private func selectProtocol(
  _ ssl: OpaquePointer?, _ selected: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
  _ selectedLength: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ offeredLength: UInt32,
  _ argument: UnsafeMutableRawPointer?
) -> Int32 {
  guard let state = unsafe sessionState(ssl), let selectedLength = unsafe selectedLength else {
    return SSL_TLSEXT_ERR_ALERT_FATAL
  }
  let ours = unsafe state.pointee.alpn
  guard let start = ours.baseAddress, !ours.isEmpty else { return SSL_TLSEXT_ERR_NOACK }
  var match: UnsafeMutablePointer<UInt8>?
  let result = unsafe SSL_select_next_proto(
    &match, selectedLength, start, UInt32(truncatingIfNeeded: ours.count), offered, offeredLength)
  guard result == OPENSSL_NPN_NEGOTIATED else {
    unsafe state.pointee.refusal = .noApplicationProtocol
    return SSL_TLSEXT_ERR_ALERT_FATAL
  }
  unsafe selected?.pointee = UnsafePointer(match)
  return SSL_TLSEXT_ERR_OK
}

/// Stands in for X509_verify_cert, so that a handshake and `explain` run the same verification.
private func verifyChain(_ context: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> Int32 {
  let index = SSL_get_ex_data_X509_STORE_CTX_idx()
  let ssl = unsafe X509_STORE_CTX_get_ex_data(context, index).map { OpaquePointer($0) }
  guard let state = unsafe sessionState(ssl), let leaf = unsafe X509_STORE_CTX_get0_cert(context) else {
    unsafe X509_STORE_CTX_set_error(context, X509_V_ERR_UNSPECIFIED)
    return 0
  }
  unsafe state.pointee.judge(leaf: leaf, presented: X509_STORE_CTX_get0_untrusted(context))
  let outcome = unsafe state.pointee.outcome
  unsafe X509_STORE_CTX_set_error(context, outcome?.error ?? X509_V_ERR_UNSPECIFIED)
  return outcome?.isVerified == true ? 1 : 0
}

/// Counts what arrives behind the handshake, and remembers which handshake message came last.
private func sawMessage(
  _ writing: Int32, _ version: Int32, _ contentType: Int32, _ bytes: UnsafeRawPointer?, _ length: Int,
  _ ssl: OpaquePointer?, _ argument: UnsafeMutableRawPointer?
) {
  guard writing == 0, length > 0, let bytes = unsafe bytes, let state = unsafe sessionState(ssl) else {
    return
  }
  let first = unsafe bytes.load(as: UInt8.self)
  switch contentType {
  case SSL3_RT_HANDSHAKE:
    unsafe state.pointee.lastMessage = first
  // TLS 1.2 shows the type in the record's header, TLS 1.3 in its last octet (RFC 8446 §5.2).
  case SSL3_RT_HEADER, SSL3_RT_INNER_CONTENT_TYPE:
    if unsafe state.pointee.isEstablished, Int32(first) == SSL3_RT_HANDSHAKE {
      unsafe state.pointee.laterHandshakeRecords &+= 1
    }
  default: break
  }
}

extension HandshakeFailure {
  static let noApplicationProtocol = HandshakeFailure(
    reason: .tlsProtocol, code: "SSL_R_NO_APPLICATION_PROTOCOL",
    message: "the client names none of the application protocols (ALPN) that are spoken here")
}
