internal import Glibc

/// Files that are read to be explained: they are named on the command line and not by a configuration.
package enum ExplainingFiles {
  /// A chain has a few certificates of a few KiB each.
  private static let longestChain = 4 << 20
  /// A record has values of 4 KiB each; a longer line is no record.
  private static let longestLine = 8 << 20

  /// - Parameter path: a PEM file with a client's certificates.
  package static func chain(_ path: String) throws(FileProblem) -> [UInt8] {
    try FileReader.read(path, limit: longestChain).bytes
  }

  /// Visits the lines of an audit log that hold a text, from the beginning, without their ends.
  /// - Parameter body: returns whether to go on.
  package static func lines(
    of path: String, with text: String, _ body: (ArraySlice<UInt8>) -> Bool
  ) throws(FileProblem) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable(path, "open", errno) }
    defer { _ = close(descriptor) }
    let needle = Array(text.utf8)
    var pending: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        let code = errno
        if code == EINTR { continue }
        throw unreadable(path, "read", code)
      }
      pending += chunk.prefix(count)
      var start = pending.startIndex
      while let end = pending[start...].firstIndex(of: UInt8(ascii: "\n")) {
        let line = pending[start..<end]
        if holds(line, needle), !body(line) { return }
        start = end + 1
      }
      pending.removeFirst(start)
      // The last line may have no end, where the writer was cut off.
      if count == 0 {
        if holds(pending[...], needle) { _ = body(pending[...]) }
        return
      }
      if pending.count > longestLine { pending.removeAll() }
    }
  }

  private static func holds(_ line: ArraySlice<UInt8>, _ needle: [UInt8]) -> Bool {
    guard let first = needle.first else { return false }
    var rest = line
    while let start = rest.firstIndex(of: first) {
      rest = rest[start...]
      if rest.starts(with: needle) { return true }
      rest = rest.dropFirst()
    }
    return false
  }

  private static func unreadable(_ path: String, _ call: String, _ code: Int32) -> FileProblem {
    FileProblem(
      code: "unreadable-file", message: "cannot read \(path): \(call): \(FileReader.describe(code))")
  }
}
