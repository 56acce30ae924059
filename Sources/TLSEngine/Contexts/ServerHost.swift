import AccessPolicy
import COpenSSL

/// What a client gets that asks for certain names: a certificate, and who is trusted there. The settings of a
/// listener itself are one, without names.
@safe
package final class ServerHost: @unchecked Sendable {
  // Sendable: the SSL_CTX is set up here and then only given to SSL_new and SSL_set_SSL_CTX, which OpenSSL
  // allows from every thread.
  let pointer: OpaquePointer
  /// Verifies clients, in handshakes and for `explain` alike.
  package let verifier: ChainVerifier
  /// In the spelling of ``ServerName``, wildcards with `*.` in front.
  package let names: [String]
  /// Names what is trusted: a chain that was verified under one version is not under another.
  package let trustVersion: [UInt8]
  /// What sessions are bound to: one of another listener, another host or another set of files means nothing
  /// here (CVE-2025-23419). OpenSSL compares it before it resumes a session, and ``KeptSession`` who verified it.
  let sessionContext: [UInt8]
  /// One for each type of key.
  let identities: [OwnIdentity]

  /// - Parameters:
  ///   - options: of the listener, which all its hosts share.
  ///   - shown: names what `identities` show to others.
  init(
    _ options: ServerContextOptions, names: [String], identities: [OwnIdentity], shown: [UInt8],
    verifier: ChainVerifier, trustVersion: [UInt8]
  ) throws(TLSConfigurationError) {
    self.names = names
    self.identities = identities
    self.verifier = verifier
    self.trustVersion = trustVersion
    sessionContext = Self.sessionContext(options, names, shown, trustVersion)
    guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { throw .outOfMemory }
    unsafe pointer = context
    guard unsafe ContextSettings.apply(to: context, minimum: options.minVersion),
      unsafe ContextSettings.applyServer(to: context, resumes: options.resumes),
      unsafe SSL_CTX_set_session_id_context(context, sessionContext, UInt32(sessionContext.count)) == 1
    else {
      throw TLSConfigurationError(
        .library, "settings-refused",
        "OpenSSL refuses our settings: \(OpenSSLErrors.sentence(OpenSSLErrors.drain()))",
        hint: "look at the system's openssl.cnf and its providers")
    }
    for identity in identities { try unsafe identity.install(in: context) }
    unsafe ServerCallbacks.install(in: context)
    unsafe SessionCallbacks.install(in: context)
  }

  deinit { unsafe SSL_CTX_free(pointer) }

  private static func sessionContext(
    _ options: ServerContextOptions, _ names: [String], _ shown: [UInt8], _ trustVersion: [UInt8]
  ) -> [UInt8] {
    let text =
      "countersign\n\(options.listener)\n\(names.joined(separator: ","))\n\(options.minVersion.rawValue)\n"
    let alpn = SHA256.hash(Array(options.alpn.joined(separator: ",").utf8))
    return SHA256.hash(Array(text.utf8) + shown + trustVersion + alpn)
  }

  /// The response to staple to the certificate that was chosen, if it is fresh.
  /// - Parameter certificate: `X509`, as OpenSSL has it.
  func staple(for certificate: OpaquePointer?, at now: Timestamp) -> [UInt8]? {
    guard let certificate = unsafe certificate else { return nil }
    let identity = identities.first {
      $0.leaf.map { unsafe X509_cmp($0.pointer, certificate) == 0 } == true
    }
    guard let staple = identity?.staple, staple.isCurrent(at: now) else { return nil }
    return staple.bytes
  }
}
