import AccessPolicy
import COpenSSL

extension ValidityWindow {
  /// - Parameters:
  ///   - chain: `STACK_OF(X509)`, as it was built and verified; lent.
  ///   - staleAfter: of the CRLs that were asked.
  /// - Returns: nil where a certificate has no readable times.
  init?(of chain: OpaquePointer, staleAfter: Timestamp?) {
    let count = unsafe shim_sk_X509_num(chain)
    guard count > 0 else { return nil }
    self.init(notBefore: Timestamp(nanoseconds: .min), notAfter: .distantFuture, staleAfter: staleAfter)
    for index in 0..<count {
      guard let certificate = unsafe shim_sk_X509_value(chain, index),
        let begin = unsafe CertificateTime.timestamp(X509_get0_notBefore(certificate)),
        let end = unsafe CertificateTime.timestamp(X509_get0_notAfter(certificate))
      else { return nil }
      notBefore = max(notBefore, begin)
      notAfter = min(notAfter, end)
    }
  }
}
