import AccessPolicy
import Glibc

/// Standard error, for what is said to the person who started the process.
package enum Console {
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
