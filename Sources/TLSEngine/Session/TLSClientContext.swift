import COpenSSL

/// How a client connects.
package struct TLSClientOptions: Sendable {
  /// PEM: our certificate, then whatever is to be sent with it, in this order; empty: none is sent.
  package var certificateChain: [UInt8] = []
  /// PEM, not encrypted; the first certificate's.
  package var privateKey: [UInt8] = []
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
    if !options.certificateChain.isEmpty { try present() }
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

  /// Not checked like ``OwnIdentity``: what is sent is for the server to judge.
  private func present() throws(TLSConfigurationError) {
    let certificates = (PEMReader.blocks(options.certificateChain) ?? [])
      .filter(\.isCertificate).compactMap { Certificate(der: $0.bytes) }
    guard let leaf = certificates.first, let stack = unsafe shim_sk_X509_new_null() else {
      throw TLSConfigurationError(.certificate, "no-certificate", "no PEM certificate was found")
    }
    defer { unsafe shim_sk_X509_free(stack) }
    for certificate in certificates.dropFirst()
    where unsafe shim_sk_X509_push(stack, certificate.pointer) <= 0 {
      throw .outOfMemory
    }
    let key = try unsafe OwnIdentity.key(options.privateKey)
    defer { unsafe EVP_PKEY_free(key) }
    guard unsafe SSL_CTX_use_cert_and_key(pointer, leaf.pointer, key, stack, 1) == 1 else {
      throw OwnIdentity.refused(OpenSSLErrors.drain())
    }
  }
}
