import AccessPolicy
import COpenSSL

/// What kind of public key a certificate holds.
enum PublicKeyFacts {
  /// - Returns: `ec`, `rsa`, `rsa-pss`, `ed25519`, …: OpenSSL's name of the algorithm in lower case, save for
  ///   the common ones; and the size in bits.
  static func describe(_ certificate: OpaquePointer) -> (type: String, bits: Int)? {
    guard let key = unsafe X509_get0_pubkey(certificate) else {
      ERR_clear_error()
      return nil
    }
    return unsafe describe(key: key)
  }

  static func describe(key: OpaquePointer) -> (type: String, bits: Int)? {
    let bits = unsafe Int(EVP_PKEY_get_bits(key))
    switch unsafe EVP_PKEY_get_base_id(key) {
    case EVP_PKEY_EC: return ("ec", bits)
    case EVP_PKEY_RSA: return ("rsa", bits)
    case EVP_PKEY_RSA_PSS: return ("rsa-pss", bits)
    case EVP_PKEY_ED25519: return ("ed25519", bits)
    case EVP_PKEY_ED448: return ("ed448", bits)
    default:
      guard let name = unsafe EVP_PKEY_get0_type_name(key) else { return nil }
      return unsafe (String(cString: name).lowercased(), bits)
    }
  }

  /// The purposes of extendedKeyUsage by the names of RFC 5280 §4.2.1.12, others dotted; nil without one.
  static func extendedKeyUsage(_ certificate: OpaquePointer) -> [String]? {
    var critical: Int32 = -1
    guard let found = unsafe X509_get_ext_d2i(certificate, NID_ext_key_usage, &critical, nil) else {
      ERR_clear_error()
      return nil
    }
    let usages = OpaquePointer(found)
    defer { unsafe EXTENDED_KEY_USAGE_free(usages) }
    let count = unsafe shim_sk_ASN1_OBJECT_num(usages)
    return (0..<max(0, count)).compactMap { index in
      let object = unsafe CertificateBytes.dotted(shim_sk_ASN1_OBJECT_value(usages, index))
      return object.map { ExtendedKeyUsage.written($0) }
    }
  }
}
