import COpenSSL

/// A CA's certificate whose key may have signed a CRL.
@safe
struct RevocationSigner {
  /// `EVP_PKEY`; lent by the certificate, which outlives this.
  let key: OpaquePointer
  /// SHA-256 over the SubjectPublicKeyInfo.
  let identity: [UInt8]
  /// RFC 5280 §6.3.3 (f): a keyUsage must hold cRLSign.
  let maySign: Bool

  /// - Parameter certificate: `X509`; lent.
  init?(_ certificate: OpaquePointer) {
    guard let key = unsafe X509_get0_pubkey(certificate),
      let whole = unsafe X509_get_X509_PUBKEY(certificate),
      let bytes = unsafe CertificateBytes.encoded({ unsafe i2d_X509_PUBKEY(whole, $0) })
    else {
      ERR_clear_error()
      return nil
    }
    unsafe self.key = key
    identity = SHA256.hash(bytes)
    // X509_get_key_usage(3) has all bits set where there is no keyUsage.
    maySign = unsafe X509_get_key_usage(certificate) & UInt32(KU_CRL_SIGN) != 0
  }
}
