import COpenSSL

/// A list of certificates as OpenSSL hands it on.
@safe
final class PresentedStack {
  /// `X509`, the first of the list; lent.
  private let leaf: OpaquePointer
  /// `STACK_OF(X509)`; owned, what it holds is lent.
  private let pointer: OpaquePointer

  /// - Parameters:
  ///   - leaf: `X509`.
  ///   - others: `STACK_OF(X509)` without the leaf, as a server's session has it; nil: there are none.
  /// - Returns: nil where memory is short.
  init?(leaf: OpaquePointer, others: OpaquePointer?) {
    guard let stack = unsafe shim_sk_X509_new_null() else { return nil }
    unsafe self.leaf = leaf
    unsafe pointer = stack
    guard unsafe shim_sk_X509_push(stack, leaf) > 0 else { return nil }
    let count = unsafe others.map { unsafe shim_sk_X509_num($0) } ?? 0
    for index in 0..<max(0, count) {
      guard let certificate = unsafe shim_sk_X509_value(others, index),
        unsafe shim_sk_X509_push(stack, certificate) > 0
      else { return nil }
    }
  }

  /// Lends the leaf (`X509`) and the list (`STACK_OF(X509)`), which live as long as `body` runs: Swift may end the
  /// life of an object behind its last use, and reading a pointer is one.
  func withPointers<Result>(_ body: (_ leaf: OpaquePointer, _ presented: OpaquePointer) -> Result) -> Result {
    withExtendedLifetime(self) { unsafe body(leaf, pointer) }
  }

  deinit { unsafe shim_sk_X509_free(pointer) }
}
