import AccessPolicy
import COpenSSL

/// Where OpenSSL asks us during a handshake. Each callback finds its session's state, or fails closed.
enum ServerCallbacks {
  static func install(in context: OpaquePointer) {
    unsafe SSL_CTX_set_client_hello_cb(context, receivedClientHello, nil)
    unsafe SSL_CTX_set_alpn_select_cb(context, selectProtocol, nil)
    unsafe SSL_CTX_set_cert_verify_callback(context, verifyChain, nil)
    unsafe SSL_CTX_set_msg_callback(context, sawMessage)
    unsafe shim_SSL_CTX_set_tlsext_status_cb(context, stapleResponse)
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
  let serverName: String?
  switch unsafe ServerName.read(fromHelloOf: ssl) {
  case .absent: serverName = nil
  case .name(let name): serverName = name
  case .invalid:
    unsafe state.pointee.refusal = .invalidServerName
    unsafe alert?.pointee = SSL_AD_ILLEGAL_PARAMETER
    return SSL_CLIENT_HELLO_ERROR
  }
  // The host was chosen by the first hello, and no other may get what was shown and asked for it.
  guard unsafe !state.pointee.hasSaidHello || state.pointee.serverName == serverName else {
    unsafe state.pointee.refusal = .changedServerName
    unsafe alert?.pointee = SSL_AD_ILLEGAL_PARAMETER
    return SSL_CLIENT_HELLO_ERROR
  }
  unsafe state.pointee.hasSaidHello = true
  unsafe state.pointee.serverName = serverName
  guard unsafe state.pointee.chooseHost() else {
    unsafe state.pointee.refusal = .unknownServerName(serverName)
    unsafe alert?.pointee = SSL_AD_UNRECOGNIZED_NAME
    return SSL_CLIENT_HELLO_ERROR
  }
  let host = unsafe state.pointee.host.pointer
  // SSL_set_SSL_CTX leaves the callbacks of the session cache with the context that the session began with.
  guard unsafe SSL_set_SSL_CTX(ssl, host) == host else {
    unsafe alert?.pointee = SSL_AD_INTERNAL_ERROR
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

/// Runs only for clients that ask for the status of our certificate, after that was chosen.
private func stapleResponse(_ ssl: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> Int32 {
  guard let state = unsafe sessionState(ssl),
    let response = unsafe state.pointee.host.staple(for: SSL_get_certificate(ssl), at: state.pointee.now),
    let copy = unsafe CRYPTO_malloc(response.count, nil, 0)
  else { return SSL_TLSEXT_ERR_NOACK }
  unsafe UnsafeMutableRawBufferPointer(start: copy, count: response.count).copyBytes(from: response)
  // OpenSSL takes over the copy.
  guard unsafe shim_SSL_set_tlsext_status_ocsp_resp(ssl, copy, response.count) == 1 else {
    unsafe CRYPTO_free(copy, nil, 0)
    return SSL_TLSEXT_ERR_NOACK
  }
  return SSL_TLSEXT_ERR_OK
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
    if Int32(first) == SSL3_MT_CERTIFICATE { unsafe screen(bytes, length, version, state) }
  // TLS 1.2 shows the type in the record's header, TLS 1.3 in its last octet (RFC 8446 §5.2).
  case SSL3_RT_HEADER, SSL3_RT_INNER_CONTENT_TYPE:
    if unsafe state.pointee.isEstablished, Int32(first) == SSL3_RT_HANDSHAKE {
      unsafe state.pointee.laterHandshakeRecords &+= 1
    }
  default: break
  }
}

/// The client's certificates, before OpenSSL parses them.
private func screen(
  _ bytes: UnsafeRawPointer, _ length: Int, _ version: Int32, _ state: UnsafeMutablePointer<SessionState>
) {
  let message = unsafe CertificateMessage(
    Array(UnsafeRawBufferPointer(start: bytes, count: length)), version: version)
  guard let refusal = message.refusal else { return }
  unsafe state.pointee.refusal = refusal
  unsafe state.pointee.screened = message.leaf.map { PeerCertificate.facts($0) }
  unsafe CertificateMessage.spoil(bytes, count: length)
}

extension HandshakeFailure {
  static let invalidServerName = HandshakeFailure(
    reason: .tlsProtocol, code: "SSL_R_BAD_EXTENSION",
    message: "the server name that the client asks for is not a host name (RFC 6066 §3)")

  static let changedServerName = HandshakeFailure(
    reason: .tlsProtocol, code: "SSL_R_BAD_EXTENSION",
    message: "the client asks for another server name in its second hello (RFC 8446 §4.1.2)")

  /// `unknown_server_name: refuse`.
  package static func unknownServerName(_ name: String?) -> HandshakeFailure {
    HandshakeFailure(
      reason: .serverNameUnknown, code: "SSL_R_TLSV1_UNRECOGNIZED_NAME",
      message: name.map { "no host is called \($0), and unknown_server_name says refuse" }
        ?? "the client asks for no server name, and unknown_server_name says refuse")
  }

  static let noApplicationProtocol = HandshakeFailure(
    reason: .tlsProtocol, code: "SSL_R_NO_APPLICATION_PROTOCOL",
    message: "the client names none of the application protocols (ALPN) that are spoken here")
}
