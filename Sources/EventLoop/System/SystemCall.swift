internal import Glibc

/// What a system call answered: its value, or the `errno` that it left.
enum CallOutcome {
  case value(Int)
  case failure(Int32)
}

/// The one place where `errno` is read. Nothing may run between the call and the read: a release of a
/// reference could call `free`, and that may overwrite it.
enum SystemCall {
  /// Calls once. EBADF and EFAULT are never conditions of the network: they say that this program used a
  /// descriptor that it no longer owns, or a wild pointer, and going on could write into someone else's
  /// connection. The process stops.
  @inline(__always)
  static func once(_ call: () -> Int) -> CallOutcome {
    let value = call()
    if value != -1 { return .value(value) }
    let code = errno
    precondition(code != EBADF && code != EFAULT, "system call on a closed descriptor or a wild pointer")
    return .failure(code)
  }

  /// Calls until no signal interrupts it (EINTR).
  @inline(__always)
  static func retrying(_ call: () -> Int) -> CallOutcome {
    while true {
      let outcome = once(call)
      if case .failure(EINTR) = outcome { continue }
      return outcome
    }
  }

  /// Calls until no signal interrupts it; any other error is thrown under the name of the call.
  @inline(__always)
  @discardableResult
  static func checked(_ name: StaticString, _ call: () -> Int) throws(SystemError) -> Int {
    switch retrying(call) {
    case .value(let value): return value
    case .failure(let code): throw SystemError(call: name, code: code)
    }
  }
}
