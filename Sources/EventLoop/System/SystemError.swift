internal import CLinux
internal import Glibc

/// A system call that failed, and why. It is a trivial value (no String inside), so that it travels in
/// `IOStep` through the per-byte path without touching a reference count.
package struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
  private let callName: StaticString
  /// The value of `errno`.
  package let code: Int32

  /// `call` is the name of the system call, as its manual page has it.
  package init(call: StaticString, code: Int32) {
    self.callName = call
    self.code = code
  }

  /// The name of the system call: `connect`.
  package var call: String { "\(callName)" }

  /// The symbol of the error, `ECONNREFUSED`, or its number where the C library has no name for it.
  package var name: String {
    guard let text = unsafe strerrorname_np(code) else { return "errno \(code)" }
    return unsafe String(cString: text)
  }

  /// The words of the C library, `Connection refused`; never localised (strerrordesc_np, unlike strerror).
  package var reason: String {
    guard let text = unsafe strerrordesc_np(code) else { return "unknown error" }
    return unsafe String(cString: text)
  }

  /// `connect: Connection refused (ECONNREFUSED)`
  package var description: String { "\(callName): \(reason) (\(name))" }

  /// Whether the peer tore the connection down. EPIPE is what a send after the reset was reported gets.
  package var isReset: Bool { code == ECONNRESET || code == EPIPE }

  /// Whether descriptors or memory are used up, in the process or in the system.
  package var isExhaustion: Bool { [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code) }

  package static func == (left: SystemError, right: SystemError) -> Bool {
    left.code == right.code && left.call == right.call
  }
}
