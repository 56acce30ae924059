import COpenSSL

/// One certificate chain of our own and its key, checked once when they are loaded.
struct OwnIdentity: Sendable {
  let chain: [Certificate]
  let key: PrivateKey
  /// Which file the chain is from, from 0.
  let file: Int
  /// An OCSP response for the leaf, where there is one.
  var staple: StapledResponse?

  var leaf: Certificate? { chain.first }

  /// Puts the identity into a context beside those of other key types; OpenSSL takes references of its own.
  func install(in context: OpaquePointer) throws(TLSConfigurationError) {
    guard let leaf, let stack = unsafe shim_sk_X509_new_null() else { throw .outOfMemory }
    defer { unsafe shim_sk_X509_free(stack) }
    for certificate in chain.dropFirst() where unsafe shim_sk_X509_push(stack, certificate.pointer) <= 0 {
      throw .outOfMemory
    }
    ERR_clear_error()
    guard unsafe SSL_CTX_use_cert_and_key(context, leaf.pointer, key.pointer, stack, 1) == 1 else {
      throw TLSConfigurationError(
        .certificate, "certificate-refused",
        "OpenSSL refuses it: \(OpenSSLErrors.sentence(OpenSSLErrors.drain()))"
      ).of(file: file)
    }
  }
}
