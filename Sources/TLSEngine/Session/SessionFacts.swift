import AccessPolicy
import COpenSSL

/// What TLS itself has negotiated, as facts.
enum SessionFacts {
  /// - Parameter ssl: a session in any state; what is not negotiated yet is absent.
  static func facts(of ssl: OpaquePointer, serverName: String?) -> Facts {
    var facts = Facts()
    facts[.serverName] = serverName.map { .text($0) }
    facts[.alpn] = unsafe selectedProtocol(ssl).map { .text($0) }
    guard let cipher = unsafe SSL_get_current_cipher(ssl) else { return facts }
    facts[.tlsVersion] = unsafe version(ssl).map { .text($0) }
    // The name of the IANA registry, which is one for all TLS libraries.
    facts[.tlsCipher] = unsafe SSL_CIPHER_standard_name(cipher).map { unsafe .text(String(cString: $0)) }
    facts[.tlsGroup] = unsafe shim_SSL_group_name(ssl).map { unsafe .text(String(cString: $0)) }
    facts[.resumed] = unsafe .flag(SSL_session_reused(ssl) == 1)
    return facts
  }

  private static func version(_ ssl: OpaquePointer) -> String? {
    switch unsafe SSL_version(ssl) {
    case TLS1_2_VERSION: "1.2"
    case TLS1_3_VERSION: "1.3"
    default: nil
    }
  }

  /// Only names of our configuration are ever selected, and those are UTF-8.
  static func selectedProtocol(_ ssl: OpaquePointer) -> String? {
    var start: UnsafePointer<UInt8>?
    var length: UInt32 = 0
    unsafe SSL_get0_alpn_selected(ssl, &start, &length)
    guard let start = unsafe start, length > 0 else { return nil }
    return unsafe String(decoding: UnsafeBufferPointer(start: start, count: Int(length)), as: UTF8.self)
  }
}
