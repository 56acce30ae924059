import AccessPolicy
import COpenSSL

extension ValidityWindow {
  /// - Parameter context: `X509_STORE_CTX`, verified.
  /// - Returns: nil where a certificate of the chain that was built has no readable times.
  init?(of context: OpaquePointer) {
    guard let chain = unsafe X509_STORE_CTX_get0_chain(context) else { return nil }
    let count = unsafe shim_sk_X509_num(chain)
    guard count > 0 else { return nil }
    self.init(notBefore: Timestamp(nanoseconds: .min), notAfter: .distantFuture)
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
