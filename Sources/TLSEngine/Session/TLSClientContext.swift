import COpenSSL

/// How a client connects.
package struct TLSClientOptions: Sendable {
  /// What is sent where the server asks for a certificate; nil: none is. Its chains go out as they are.
  package var identity: IdentityOptions?
  /// PEM: the anchors that the server's chain must end in; nil: the server is not verified.
  package var serverCA: [UInt8]?
  /// Sent as SNI, and looked for in the server's certificate where that is verified; a session may be given
  /// one of its own.
  package var serverName: String?
  /// The oldest version that is offered.
  package var minVersion: TLSVersion = .tls12
  /// The newest version that is offered.
  package var maxVersion: TLSVersion = .tls13
  /// Protocol names in the order of preference; empty: ALPN is not spoken.
  package var alpn: [String] = []
  /// OpenSSL's cipher list for TLS 1.2; nil: the one that servers of ours have.
  package var tls12Ciphers: String?
  /// See SSL_CTX_set_security_level(3).
  package var securityLevel: Int32 = ContextSettings.securityLevel
  /// Lets the server, and us, start a renegotiation in TLS 1.2.
  package var allowsRenegotiation = false

  /// A client without certificate that verifies nobody.
  package init() {}
}

/// Everything that the connections of one client share.
@safe
package final class TLSClientContext: @unchecked Sendable {
  // Sendable: set up here and then only given to SSL_new, which OpenSSL allows from every thread.
  let pointer: OpaquePointer
  let options: TLSClientOptions

  /// Loads the certificate, the key and the anchors.
  package init(_ options: TLSClientOptions) throws(TLSConfigurationError) {
    guard let context = unsafe SSL_CTX_new(TLS_client_method()) else { throw .outOfMemory }
    unsafe pointer = context
    self.options = options
    let wire = try ALPN.wire(options.alpn)
    guard unsafe ContextSettings.apply(to: context, minimum: options.minVersion), configure(wire) else {
      throw TLSConfigurationError(
        .library, "settings-refused",
        "OpenSSL refuses our settings: \(OpenSSLErrors.sentence(OpenSSLErrors.drain()))")
    }
    if let bundle = options.serverCA { try trust(bundle) }
    // Not judged: what is sent is for the server to judge.
    for identity in try options.identity.map(IdentityLoader(isJudging: false).load) ?? [] {
      try unsafe identity.install(in: context)
    }
  }

  deinit { unsafe SSL_CTX_free(pointer) }

  private func configure(_ alpn: [UInt8]) -> Bool {
    unsafe SSL_CTX_set_security_level(pointer, options.securityLevel)
    _ = unsafe SSL_CTX_set_options(pointer, shim_common_options())
    if options.allowsRenegotiation { unsafe shim_SSL_CTX_allow_renegotiation(pointer) }
    let highest = options.maxVersion == .tls12 ? TLS1_2_VERSION : TLS1_3_VERSION
    let ciphers = options.tls12Ciphers ?? ContextSettings.tls12Ciphers
    // SSL_CTX_set_alpn_protos(3) is the one that returns 0 for success.
    return unsafe shim_SSL_CTX_set_max_proto_version(pointer, highest) == 1
      && SSL_CTX_set_cipher_list(pointer, ciphers) == 1
      && (alpn.isEmpty || SSL_CTX_set_alpn_protos(pointer, alpn, UInt32(clamping: alpn.count)) == 0)
  }

  private func trust(_ bundle: [UInt8]) throws(TLSConfigurationError) {
    guard let store = unsafe SSL_CTX_get_cert_store(pointer) else { throw .outOfMemory }
    for anchor in try TrustBundle.certificates(bundle)
    where unsafe X509_STORE_add_cert(store, anchor.pointer) != 1 {
      throw .outOfMemory
    }
    // As for clients (interfaces: what a valid certificate is), and the purpose is the server's.
    let flags = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST
    unsafe _ = X509_STORE_set_flags(store, UInt(flags))
    unsafe SSL_CTX_set_verify_depth(pointer, ChainLimits.intermediates)
    unsafe SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
  }
}
