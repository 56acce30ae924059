package import AccessPolicy
import COpenSSL

/// One parsed X.509 certificate.
@safe
package final class Certificate: @unchecked Sendable {
  // Sendable: never changed after it was parsed; what OpenSSL caches inside of it (extensions, the decoded
  // key) it guards with the certificate's own lock.
  let pointer: OpaquePointer

  /// Takes over one reference.
  init(owning pointer: OpaquePointer) { unsafe self.pointer = pointer }

  /// - Parameter der: one certificate and nothing behind it.
  /// - Returns: nil where OpenSSL cannot parse it, or bytes are left over.
  package convenience init?(der: [UInt8]) {
    ERR_clear_error()
    let parsed = unsafe der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
      var cursor = buffer.baseAddress
      guard let certificate = unsafe d2i_X509(nil, &cursor, buffer.count) else { return nil }
      guard let cursor = unsafe cursor, let start = buffer.baseAddress, unsafe cursor == start + buffer.count
      else {
        unsafe X509_free(certificate)
        return nil
      }
      return unsafe certificate
    }
    ERR_clear_error()
    guard let parsed = unsafe parsed else { return nil }
    unsafe self.init(owning: parsed)
  }

  deinit { unsafe X509_free(pointer) }

  /// The subject as RFC 4514 writes it; what cannot be read exactly stands there as `#hex`.
  package var subject: String { unsafe DistinguishedName(X509_get_subject_name(pointer)).text }

  /// The first second in which the certificate is valid; nil where the time is malformed.
  package var notBefore: Timestamp? { unsafe CertificateTime.timestamp(X509_get0_notBefore(pointer)) }

  /// The last second in which the certificate is valid (RFC 5280 §4.1.2.5).
  package var notAfter: Timestamp? { unsafe CertificateTime.timestamp(X509_get0_notAfter(pointer)) }
}
