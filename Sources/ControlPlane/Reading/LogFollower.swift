internal import Glibc

/// Reads a log that grows, across its rotation: a new file under the path, or one that was made shorter.
package struct LogFollower: ~Copyable {
  private let path: String
  private var reader: LineReader?

  /// - Parameter reader: what was read of the file so far; nil where it is not there yet.
  package init(_ path: String, _ reader: consuming LineReader?) {
    self.path = path
    self.reader = reader
  }

  /// Calls `body` with the lines that came since the last time; one that has no end yet is waited for.
  /// - Returns: false where `body` did.
  package mutating func read(_ body: (LineReader.Line) -> Bool) throws(ReadingError) -> Bool {
    guard var current = reader.take() else {
      reader = try opened()
      guard reader != nil else { return true }
      return try read(body)
    }
    var goesOn = true
    let watched: (LineReader.Line) -> Bool = { line in
      goesOn = body(line)
      return goesOn
    }
    // Asked before reading: what was written to the old file before the new one was made is read then.
    let isReplaced = FileIdentity(path: path).map { $0 != current.identity } ?? false
    if !isReplaced, current.isRewritten { current.rewind() }
    try current.forEachLine(flushes: isReplaced, watched)
    guard isReplaced, goesOn else {
      reader = consume current
      return goesOn
    }
    reader = try opened()
    return reader == nil ? true : try read(body)
  }

  private func opened() throws(ReadingError) -> LineReader? {
    do {
      return try LineReader(path)
    } catch {
      if error.isMissing { return nil }
      throw error
    }
  }
}
