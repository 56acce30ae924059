package import AccessPolicy
import COpenSSL

/// Everything that the handshakes of one listener share: our identity, who is trusted, what is spoken.
@safe
package final class ServerContext: @unchecked Sendable {
  // Sendable: the SSL_CTX is set up here and then only given to SSL_new, which OpenSSL allows from every
  // thread; the ALPN list is never written again.
  let pointer: OpaquePointer
  /// Verifies clients, in handshakes and for `explain` alike.
  package let verifier: ChainVerifier
  private let identity: OwnIdentity
  /// Our protocols as ALPN writes them (RFC 7301 §3.1), at an address that outlives every session.
  let alpn: UnsafeBufferPointer<UInt8>
  let isProtocolOptional: Bool
  /// Names what a client's chain is verified against: alike for the same anchors in other files.
  let trustVersion: [UInt8]

  /// Loads and checks everything, so that no handshake can find it wrong later.
  package init(_ options: ServerContextOptions) throws(TLSConfigurationError) {
    let wire = try ALPN.wire(options.alpn)
    isProtocolOptional = options.isProtocolOptional
    verifier = try ChainVerifier(bundle: options.clientCA)
    trustVersion = SHA256.hash(options.clientCA)
    identity = try OwnIdentity(chain: options.certificateChain, privateKey: options.privateKey)
    guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { throw .outOfMemory }
    unsafe pointer = context
    let list = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: wire.count)
    _ = unsafe list.initialize(from: wire)
    unsafe alpn = UnsafeBufferPointer(list)
    guard unsafe ContextSettings.apply(to: context, minimum: options.minVersion),
      unsafe ContextSettings.applyServer(to: context), setSessionContext(options)
    else {
      throw TLSConfigurationError(
        .library, "settings-refused",
        "OpenSSL refuses our settings: \(OpenSSLErrors.sentence(OpenSSLErrors.drain()))",
        hint: "look at the system's openssl.cnf and its providers")
    }
    try unsafe identity.install(in: context)
    unsafe ServerCallbacks.install(in: context)
  }

  deinit {
    unsafe SSL_CTX_free(pointer)
    unsafe alpn.deallocate()
  }

  /// The last second in which our own certificate is valid; the end of time where it has no readable one.
  package var ownCertificateNotAfter: Timestamp { identity.chain.first?.notAfter ?? .distantFuture }

  /// The subject of our own certificate, in RFC 4514's form.
  package var ownCertificateSubject: String { identity.chain.first?.subject ?? "" }

  /// Warnings about our own certificates and the clients' trust anchors.
  /// - Parameter now: what the validity is compared with.
  package func findings(at now: Timestamp) -> [TLSConfigurationFinding] {
    IdentityFindings.findings(identity.chain, at: now)
      + IdentityFindings.findings(anchors: verifier.anchors, at: now)
  }

  /// Sessions of one listener and one set of files mean nothing to another (CVE-2025-23419): no session is
  /// kept at all, and should one ever be, OpenSSL compares this.
  private func setSessionContext(_ options: ServerContextOptions) -> Bool {
    var text = Array("countersign\n\(options.listener)\n\(options.minVersion.rawValue)\n".utf8)
    for part in [options.certificateChain, options.clientCA, Array(options.alpn.joined(separator: ",").utf8)]
    {
      text += SHA256.hash(part)
    }
    let hash = SHA256.hash(text)
    return unsafe SSL_CTX_set_session_id_context(pointer, hash, UInt32(hash.count)) == 1
  }
}
