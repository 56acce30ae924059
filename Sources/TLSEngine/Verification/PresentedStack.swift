import COpenSSL

/// A list of certificates as OpenSSL hands it on.
@safe
final class PresentedStack {
  /// `STACK_OF(X509)`; owned, what it holds is lent.
  let pointer: OpaquePointer

  /// - Parameters:
  ///   - leaf: `X509`.
  ///   - others: `STACK_OF(X509)` without the leaf, as a server's session has it; nil: there are none.
  /// - Returns: nil where memory is short.
  init?(leaf: OpaquePointer, others: OpaquePointer?) {
    guard let stack = unsafe shim_sk_X509_new_null() else { return nil }
    unsafe pointer = stack
    guard unsafe shim_sk_X509_push(stack, leaf) > 0 else { return nil }
    let count = unsafe others.map { unsafe shim_sk_X509_num($0) } ?? 0
    for index in 0..<max(0, count) {
      guard let certificate = unsafe shim_sk_X509_value(others, index),
        unsafe shim_sk_X509_push(stack, certificate) > 0
      else { return nil }
    }
  }

  deinit { unsafe shim_sk_X509_free(pointer) }
}
