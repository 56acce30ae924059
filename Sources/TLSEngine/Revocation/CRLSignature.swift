import COpenSSL

/// A CRL's signature, with the digest of what is signed: to ask a key whether it signed a list of a million
/// entries is one operation of the key, on a worker too, and X509_CRL_verify(3) would hash fifty megabytes.
struct CRLSignature {
  @safe
  private enum Signed {
    // `EVP_MD` is OpenSSL's, which it keeps for as long as the process lives.
    /// The digest, and the NIDs of the digest's and of the key's algorithm.
    case digest([UInt8], algorithm: OpaquePointer, key: Int32)
    /// The whole CRL, for algorithms that take no digest (Ed25519) or have parameters of their own (RSA-PSS).
    case list([UInt8])
  }

  private let signature: [UInt8]
  private let signed: Signed

  /// - Parameter header: `X509_CRL` of the same algorithm and signature; lent.
  init(_ der: [UInt8], signed range: Range<Int>, header: OpaquePointer) throws(CRLProblem) {
    var bits: UnsafePointer<ASN1_BIT_STRING>?
    unsafe X509_CRL_get0_signature(header, &bits, nil)
    guard let bytes = unsafe CertificateBytes.copy(bits), !bytes.isEmpty else {
      throw .malformed("it has no signature")
    }
    signature = bytes
    var digest: Int32 = 0
    var key: Int32 = 0
    guard unsafe OBJ_find_sigid_algs(X509_CRL_get_signature_nid(header), &digest, &key) == 1 else {
      throw CRLProblem("crl-signature", "is signed by an algorithm that OpenSSL does not know")
    }
    guard digest != NID_undef, let method = unsafe EVP_get_digestbyname(OBJ_nid2sn(digest)) else {
      self.signed = .list(der)
      return
    }
    // Half of a digest's bits are what it is worth, and level 2 asks for 112 (SSL_CTX_set_security_level(3)).
    guard unsafe EVP_MD_get_size(method) * 4 >= 112 else {
      let name = unsafe EVP_MD_get0_name(method).map { unsafe String(cString: $0) } ?? "its digest"
      throw CRLProblem(
        "crl-weak-signature", "is signed with \(name), which can be forged",
        hint: "let the CA sign its CRLs with SHA-256")
    }
    unsafe self.signed = .digest(try Self.digest(der, range, method), algorithm: method, key: key)
  }

  private static func digest(
    _ der: [UInt8], _ range: Range<Int>, _ method: OpaquePointer
  ) throws(CRLProblem) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    let result = unsafe der.withUnsafeBytes { buffer in
      unsafe EVP_Digest(
        buffer.baseAddress?.advanced(by: range.lowerBound), range.count, &digest, &count, method, nil)
    }
    guard result == 1 else { throw .malformed("its digest cannot be computed") }
    return Array(digest.prefix(Int(count)))
  }

  /// - Parameter key: `EVP_PKEY`; lent.
  func isMade(by key: OpaquePointer) -> Bool {
    ERR_clear_error()
    defer { ERR_clear_error() }
    switch signed {
    case .list(let der):
      let crl = unsafe der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
        var cursor = buffer.baseAddress
        return unsafe d2i_X509_CRL(nil, &cursor, buffer.count)
      }
      defer { unsafe X509_CRL_free(crl) }
      return unsafe crl != nil && X509_CRL_verify(crl, key) == 1
    case .digest(let digest, let method, let type):
      guard unsafe EVP_PKEY_get_base_id(key) == EVP_PKEY_type(type),
        let context = unsafe EVP_PKEY_CTX_new(key, nil)
      else { return false }
      defer { unsafe EVP_PKEY_CTX_free(context) }
      return unsafe EVP_PKEY_verify_init(context) == 1 && EVP_PKEY_CTX_set_signature_md(context, method) == 1
        && EVP_PKEY_verify(context, signature, signature.count, digest, digest.count) == 1
    }
  }
}
