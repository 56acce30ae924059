import COpenSSL

/// Tells a presented list of certificates from every other.
struct PresentedDigest: Hashable, Sendable {
  /// Over every certificate in the order of the list, each behind its length, so that no other list gives the same
  /// bytes.
  let hash: CacheKey
  /// Of the certificates' DER together.
  let bytes: Int

  /// - Parameters:
  ///   - leaf: `X509`; lent.
  ///   - presented: `STACK_OF(X509)`; lent.
  /// - Returns: nil where the list is none that can be verified: it does not begin with the leaf, or is too long.
  init?(leaf: OpaquePointer, presented: OpaquePointer?) {
    guard let presented = unsafe presented else { return nil }
    let count = unsafe shim_sk_X509_num(presented)
    guard (1...Int32(ChainLimits.presentedCertificates)).contains(count),
      unsafe shim_sk_X509_value(presented, 0) == leaf
    else { return nil }
    var text: [UInt8] = []
    var bytes = 0
    for index in 0..<count {
      guard let certificate = unsafe shim_sk_X509_value(presented, index),
        let der = unsafe CertificateBytes.encoded({ unsafe i2d_X509(certificate, $0) })
      else { return nil }
      unsafe withUnsafeBytes(of: UInt64(der.count)) { unsafe text.append(contentsOf: $0) }
      text += der
      bytes += der.count
    }
    guard let hash = unsafe SHA256.hash(text).withUnsafeBytes({ unsafe CacheKey($0) }) else { return nil }
    self.hash = hash
    self.bytes = bytes
  }
}

/// What a verdict over a presented list hangs on, save the time: the list, and who verifies it.
struct ChainKey: Hashable, Sendable {
  let presented: PresentedDigest
  let verifier: ChainVerifier.Identity
}
