import COpenSSL

/// A certificate, its chain and its key in one file (RFC 7292).
struct PKCS12File {
  /// The leaf first, then its issuers as far as the file has them.
  let chain: [Certificate]
  let key: PrivateKey

  /// - Parameter passphrase: nil: none, or an empty one, as such files may have.
  init(der: [UInt8], passphrase: [UInt8]?) throws(TLSConfigurationError) {
    let file = try unsafe Self.parse(der)
    defer { unsafe PKCS12_free(file) }
    // PKCS12_parse(3) takes a C string; a passphrase file has no NUL in it.
    var text = (passphrase ?? []).map { CChar(bitPattern: $0) } + [0]
    defer { for index in text.indices { text[index] = 0 } }
    var key: OpaquePointer?
    var leaf: OpaquePointer?
    var others: OpaquePointer?
    ERR_clear_error()
    let parsed = unsafe PKCS12_parse(file, text, &key, &leaf, &others) == 1
    let errors = OpenSSLErrors.drain()
    let own = unsafe key.map { unsafe PrivateKey(owning: $0) }
    let first = unsafe leaf.map { unsafe Certificate(owning: $0) }
    let rest = unsafe Self.certificates(taking: others)
    guard parsed else { throw Self.problem(passphrase, errors) }
    guard let own, let first else {
      throw TLSConfigurationError(
        .pkcs12, first == nil ? "no-certificate" : "no-key",
        first == nil
          ? "the PKCS #12 file has no certificate that belongs to its key"
          : "the PKCS #12 file has no private key",
        hint: "openssl pkcs12 -export -in server.pem -inkey server.key -out server.p12 puts both into one")
    }
    self.key = own
    chain = Self.path(from: first, through: rest)
  }

  /// - Returns: `PKCS12`; the caller owns it.
  private static func parse(_ der: [UInt8]) throws(TLSConfigurationError) -> OpaquePointer {
    ERR_clear_error()
    let file = unsafe der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
      var cursor = buffer.baseAddress
      return unsafe d2i_PKCS12(nil, &cursor, buffer.count)
    }
    ERR_clear_error()
    if let file = unsafe file { return unsafe file }
    let isPEM = PEMReader.blocks(der)?.isEmpty == false
    throw TLSConfigurationError(
      .pkcs12, "pkcs12-malformed", "it cannot be parsed as PKCS #12",
      hint: isPEM ? "it is PEM: name it in certificate and private_key" : nil)
  }

  private static func certificates(taking stack: OpaquePointer?) -> [Certificate] {
    guard let stack = unsafe stack else { return [] }
    // The certificates are owned by what is returned.
    defer { unsafe shim_sk_X509_free(stack) }
    return unsafe (0..<max(0, shim_sk_X509_num(stack))).compactMap { index in
      unsafe shim_sk_X509_value(stack, index).map { unsafe Certificate(owning: $0) }
    }
  }

  /// Their order in the file means nothing, and releases of OpenSSL give it differently.
  private static func path(from leaf: Certificate, through others: [Certificate]) -> [Certificate] {
    var path = [leaf]
    var left = others
    while let last = path.last,
      let next = left.firstIndex(where: {
        unsafe X509_check_issued($0.pointer, last.pointer) == X509_V_OK
          && X509_cmp($0.pointer, last.pointer) != 0
      })
    {
      path.append(left.remove(at: next))
    }
    ERR_clear_error()
    return path
  }

  private static func problem(_ passphrase: [UInt8]?, _ errors: [OpenSSLError]) -> TLSConfigurationError {
    if errors.contains(where: \.isUnsupported) {
      return TLSConfigurationError(
        .pkcs12, "pkcs12-legacy",
        "the PKCS #12 file is encrypted with an algorithm of former times, such as 40-bit RC2",
        hint: "write it anew: openssl pkcs12 -legacy -in OLD -nodes -out FILE.pem && "
          + "openssl pkcs12 -export -in FILE.pem -out NEW, and delete FILE.pem")
    }
    guard passphrase != nil else {
      return TLSConfigurationError(
        .pkcs12, "key-encrypted", "the PKCS #12 file has a passphrase, and nobody can be asked for it",
        hint: "name a file with the passphrase in private_key_passphrase")
    }
    if errors.contains(where: { $0.library == ERR_LIB_PKCS12 && $0.reason == PKCS12_R_MAC_VERIFY_FAILURE }) {
      return TLSConfigurationError(
        .passphrase, "passphrase-wrong", "the passphrase is not that of the PKCS #12 file")
    }
    return TLSConfigurationError(
      .pkcs12, "pkcs12-malformed", "the PKCS #12 file cannot be read: \(OpenSSLErrors.sentence(errors))")
  }
}
