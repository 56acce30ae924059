import Glibc

/// Standard output and error, for what is said to the person who started the process.
package enum Console {
  package static func error(_ line: String) { error(lines: line + "\n") }

  /// - Parameter lines: each with its line feed; may be empty.
  package static func error(lines: String) {
    // Whoever closed standard error does not want to hear of it.
    _ = write(lines, to: STDERR_FILENO)
  }

  /// - Returns: false where nobody reads it any more (EPIPE, where SIGPIPE does not end the process before).
  package static func output(_ text: String) -> Bool { write(text, to: STDOUT_FILENO) }

  private static func write(_ text: String, to descriptor: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { return false }
      rest = rest.dropFirst(written)
    }
    return true
  }
}
