import AccessPolicy
import Glibc

/// Standard error, for what is said to the person who started the process.
package enum Console {
  /// As ``error(_:)``, but for a thread that must not wait for whoever reads: the line is dropped instead.
  static func errorAtOnce(_ line: String) {
    // POLLOUT promises room for that many bytes (pipe(7): PIPE_BUF).
    let bytes = (Array(line.utf8) + [UInt8(ascii: "\n")]).prefix(4096)
    guard FileCalls.poll(wake: nil, output: STDERR_FILENO, milliseconds: 0).output else { return }
    _ = FileCalls.write(bytes, to: STDERR_FILENO)
  }

  package static func error(_ line: String) {
    var bytes = Array(line.utf8) + [UInt8(ascii: "\n")]
    while !bytes.isEmpty {
      let written = unsafe bytes.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
      // Whoever closed standard error does not want to hear of it.
      guard written > 0 else { return }
      bytes.removeFirst(written)
    }
  }
}
