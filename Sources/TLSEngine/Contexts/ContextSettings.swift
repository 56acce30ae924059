import COpenSSL

/// What every TLS context of ours has in common.
enum ContextSettings {
  /// 112 bits of security: RSA from 2048, no SHA-1 signature (SSL_CTX_set_security_level(3)).
  static let securityLevel: Int32 = 2
  /// What that level asks of keys and signatures.
  static let securityBits: Int32 = 112

  /// TLS 1.2: forward secrecy and AEAD only; AES-128-GCM first.
  static let tls12Ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    + "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
  static let tls13Ciphers = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

  /// Everything that does not depend on the listener. The system's openssl.cnf may have set other values
  /// before, so each one is set and none is taken for granted.
  /// - Returns: whether OpenSSL took every setting.
  static func apply(to context: OpaquePointer, minimum: TLSVersion) -> Bool {
    unsafe SSL_CTX_set_security_level(context, securityLevel)
    let lowest = minimum == .tls12 ? TLS1_2_VERSION : TLS1_3_VERSION
    guard unsafe shim_SSL_CTX_set_min_proto_version(context, lowest) == 1,
      unsafe shim_SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1,
      unsafe SSL_CTX_set_cipher_list(context, tls12Ciphers) == 1,
      unsafe SSL_CTX_set_ciphersuites(context, tls13Ciphers) == 1
    else { return false }
    // NO_AUTO_CHAIN: otherwise OpenSSL verifies our own chain in every handshake, and sends our client CA
    // where it fits. AUTO_RETRY is left out: a read returns after each record that brings no data, so that
    // floods of them are counted.
    let modes =
      SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE
      | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
    unsafe shim_SSL_CTX_replace_mode(context, Int(modes))
    unsafe shim_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
    unsafe SSL_CTX_set_default_passwd_cb(context, answerPassphrase)
    return true
  }

  /// What only a server sets: no ticket that carries the session, no early data, client certificates always.
  ///
  /// Tickets come with the first data (``TLSSession``), so the handshake itself sends none.
  static func applyServer(to context: OpaquePointer, resumes: Bool) -> Bool {
    if resumes {
      // OpenSSL's own cache is left out: each worker has one. It would also be looked through now and then.
      unsafe shim_SSL_CTX_set_session_cache_mode(
        context, Int(SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR))
    }
    unsafe SSL_CTX_set_timeout(context, Int(KeptSession.lifetime))
    _ = unsafe SSL_CTX_set_options(context, shim_server_options())
    unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    unsafe SSL_CTX_set_verify_depth(context, ChainLimits.intermediates)
    unsafe shim_SSL_CTX_set_max_cert_list(context, ChainLimits.certificateListBytes)
    return unsafe SSL_CTX_set_num_tickets(context, 0) == 1
      && SSL_CTX_set_max_early_data(context, 0) == 1
      && SSL_CTX_set_recv_max_early_data(context, 0) == 1
  }
}
