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

  /// HMAC-SHA-256 (RFC 2104, FIPS 198-1).
  ///
  /// - Returns: the 32 bytes of the code.
  package static func authenticate(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { buffer, count in
      var length: UInt32 = 0
      let code = unsafe bytes.withUnsafeBufferPointer { message in
        unsafe key.withUnsafeBytes {
          unsafe HMAC(
            EVP_sha256(), $0.baseAddress, Int32(clamping: $0.count), message.baseAddress, message.count,
            buffer.baseAddress, &length)
        }
      }
      // Only memory that ran out, or an OpenSSL without SHA-256, makes it fail: a log whose chain is not
      // what it promises is worse than none.
      guard unsafe code != nil else { fatalError("HMAC: OpenSSL cannot compute HMAC-SHA-256") }
      count = Int(length)
    }
  }

  /// - Returns: the digest as 64 lowercase hexadecimal digits.
  package static func hexadecimal(_ bytes: [UInt8]) -> String { TLSEngine.hexadecimal(hash(bytes)) }
}
