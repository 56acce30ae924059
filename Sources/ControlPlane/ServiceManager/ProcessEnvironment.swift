import Glibc

/// Environment variables that speak to this process alone.
enum ProcessEnvironment {
  /// - Returns: the variable's value; it is removed, because a child must not believe that it was meant. Call
  ///   it before the first thread: setenv(3) and getenv(3) know no locks.
  static func take(_ name: String) -> String? {
    guard let text = unsafe getenv(name) else { return nil }
    let value = unsafe String(cString: text)
    unsafe unsetenv(name)
    return value
  }
}
