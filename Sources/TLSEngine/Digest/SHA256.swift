import COpenSSL

/// SHA-256 (FIPS 180-4).
package enum SHA256 {
  /// - Returns: the 32 bytes of the digest.
  package static func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { buffer, count in
      let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
      _ = unsafe COpenSSL.SHA256(start, bytes.count, buffer.baseAddress)
      count = Int(SHA256_DIGEST_LENGTH)
    }
  }

  /// - Returns: the 32 bytes of the digest.
  package static func hash(_ bytes: [UInt8]) -> [UInt8] {
    unsafe bytes.withUnsafeBytes { unsafe hash($0) }
  }

  /// - Returns: the digest as 64 lowercase hexadecimal digits.
  package static func hexadecimal(_ bytes: [UInt8]) -> String { TLSEngine.hexadecimal(hash(bytes)) }
}
