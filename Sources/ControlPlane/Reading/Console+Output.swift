internal import Glibc

/// Text of several lines, and standard output.
extension Console {
  /// - Parameter lines: each with its line feed; may be empty.
  package static func error(lines: String) {
    // Whoever closed standard error does not want to hear of it.
    _ = write(lines, to: STDERR_FILENO)
  }

  /// - Returns: false where nobody reads it any more (EPIPE, where SIGPIPE does not end the process before).
  package static func output(_ text: String) -> Bool { write(text, to: STDOUT_FILENO) }

  /// Waits a while, and less where whoever reads standard output has left.
  /// - Returns: false if so.
  package static func waitForChange(milliseconds: Int32) -> Bool {
    // Without events asked for, only an error or a hang-up ends the wait (poll(2)).
    var output = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
    guard unsafe poll(&output, 1, milliseconds) > 0 else { return true }
    return output.revents & Int16(POLLERR | POLLNVAL) == 0
  }

  /// Whether standard output is a terminal that shows colours, and its user has not said no (no-color.org).
  package static var hasColor: Bool {
    func variable(_ name: String) -> String {
      guard let value = unsafe getenv(name) else { return "" }
      return unsafe String(cString: value)
    }
    return isatty(STDOUT_FILENO) == 1 && variable("NO_COLOR").isEmpty && variable("TERM") != "dumb"
  }

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
