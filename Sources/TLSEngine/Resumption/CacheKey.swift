import COpenSSL

/// 32 bytes that nobody can find a second meaning for: a SHA-256, or an id that this process drew by lot.
struct CacheKey: Hashable, Sendable {
  private let words: (UInt64, UInt64, UInt64, UInt64)

  /// - Returns: nil unless there are 32 bytes.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count == 32 else { return nil }
    words = unsafe (
      bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
      bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
      bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
      bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
    )
  }

  static func == (left: Self, right: Self) -> Bool { left.words == right.words }

  func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
    hasher.combine(words.3)
  }
}

/// What a verdict over a presented list of certificates is kept under.
struct ChainKey: Sendable {
  let key: CacheKey
  /// Of the certificates' DER together.
  let bytes: Int

  /// The hash is over all that the verdict depends on save the time: who verifies, and every certificate in the
  /// order of the list, each behind its length, so that no other list gives the same bytes.
  /// - Parameter presented: `STACK_OF(X509)`; lent.
  /// - Returns: nil where the list is none that can be verified: it does not begin with the leaf, or is too long.
  init?(leaf: OpaquePointer, presented: OpaquePointer?, verifier: ChainVerifier.Identity) {
    guard let presented = unsafe presented else { return nil }
    let count = unsafe shim_sk_X509_num(presented)
    guard (1...Int32(ChainLimits.presentedCertificates)).contains(count),
      unsafe shim_sk_X509_value(presented, 0) == leaf
    else { return nil }
    var text = unsafe withUnsafeBytes(of: verifier.number) { unsafe Array($0) }
    var bytes = 0
    for index in 0..<count {
      guard let certificate = unsafe shim_sk_X509_value(presented, index),
        let der = unsafe CertificateBytes.encoded({ unsafe i2d_X509(certificate, $0) })
      else { return nil }
      unsafe withUnsafeBytes(of: UInt64(der.count)) { unsafe text.append(contentsOf: $0) }
      text += der
      bytes += der.count
    }
    guard let key = unsafe SHA256.hash(text).withUnsafeBytes({ unsafe CacheKey($0) }) else { return nil }
    self.key = key
    self.bytes = bytes
  }
}
