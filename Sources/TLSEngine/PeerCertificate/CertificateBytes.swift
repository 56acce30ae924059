import COpenSSL

/// Bytes of a certificate that facts are made of, copied out by their counted length.
enum CertificateBytes {
  static func copy(_ string: UnsafePointer<ASN1_STRING>?) -> [UInt8]? {
    guard let string = unsafe string else { return nil }
    let count = unsafe ASN1_STRING_length(string)
    guard count > 0, let start = unsafe ASN1_STRING_get0_data(string) else { return [] }
    return unsafe [UInt8](UnsafeBufferPointer(start: start, count: Int(count)))
  }

  static func hexadecimal(_ string: UnsafePointer<ASN1_STRING>?) -> String? {
    unsafe copy(string).map { TLSEngine.hexadecimal($0) }
  }

  /// SHA-256 over the DER of the whole certificate.
  static func sha256(_ certificate: OpaquePointer) -> String? {
    var digest = [UInt8](repeating: 0, count: 32)
    guard unsafe X509_digest(certificate, EVP_sha256(), &digest, nil) == 1 else { return nil }
    return TLSEngine.hexadecimal(digest)
  }

  /// SHA-256 over the DER of the SubjectPublicKeyInfo (the pin of RFC 7469 §2.4).
  static func publicKeySHA256(_ certificate: OpaquePointer) -> String? {
    guard let key = unsafe X509_get_X509_PUBKEY(certificate) else { return nil }
    return unsafe encoded { unsafe i2d_X509_PUBKEY(key, $0) }.map { TLSEngine.hexadecimal(SHA256.hash($0)) }
  }

  /// Runs one of OpenSSL's `i2d_` functions twice, as i2d(3) wants it: for the size, then for the bytes.
  static func encoded(_ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8]? {
    let size = encode(nil)
    guard size > 0 else { return nil }
    return unsafe [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
      var cursor = buffer.baseAddress
      count = unsafe Int(max(0, encode(&cursor)))
    }
  }

  /// An object identifier in dotted decimals, whatever names OpenSSL knows for it.
  static func dotted(_ object: OpaquePointer?) -> String? {
    guard let object = unsafe object else { return nil }
    let size = unsafe OBJ_obj2txt(nil, 0, object, 1)
    guard size > 0 else { return nil }
    // One octet for the terminating NUL, which OBJ_obj2txt(3) does not count.
    var text = [CChar](repeating: 0, count: Int(size) + 1)
    guard unsafe OBJ_obj2txt(&text, size + 1, object, 1) == size else { return nil }
    return String(decoding: text.prefix(Int(size)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
