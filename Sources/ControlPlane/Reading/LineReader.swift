internal import Glibc

/// Reads the lines of a file, a pipe or standard input through one window, whatever their length.
package struct LineReader: ~Copyable {
  /// A line, or the fact that one was too long to be held.
  package enum Line {
    /// Without its end. `isTorn`: the input ended before the line did.
    case whole(ArraySlice<UInt8>, isTorn: Bool)
    case oversized
  }

  /// Far longer than any record.
  package static let longest = 1 << 20
  private static let windowSize = 1 << 21

  /// As it is shown to people: `-` for standard input.
  package let name: String
  private let descriptor: Int32
  private let isOwned: Bool
  fileprivate var window = [UInt8](repeating: 0, count: windowSize)
  fileprivate var start = 0
  fileprivate var end = 0
  /// The beginning of the current line was dropped.
  private var isSkipping = false
  /// Bytes that were taken out of the input.
  package private(set) var offset = 0
  /// The last ones of them, to see whether the file still holds them.
  private var tail: [UInt8] = []

  /// - Parameter path: a file, or `-` for standard input.
  package init(_ path: String) throws(ReadingError) {
    name = path
    guard path != "-" else {
      descriptor = STDIN_FILENO
      isOwned = false
      return
    }
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
    isOwned = true
    guard descriptor >= 0 else { throw ReadingError(path, "open", errno) }
    var status = stat()
    if unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      _ = close(descriptor)
      throw ReadingError(path, "read", EISDIR)
    }
  }

  deinit { if isOwned { _ = close(descriptor) } }

  /// Device and inode, to tell whether a path still leads here.
  package var identity: FileIdentity? { FileIdentity(descriptor: descriptor) }

  /// Calls `body` with each line up to the present end of the input, and stops where it returns false.
  /// - Parameter flushes: whether a last line without an end is given too; without, it waits for its rest.
  package mutating func forEachLine(
    flushes: Bool = true, _ body: (Line) -> Bool
  ) throws(ReadingError) {
    while true {
      while let newline = newline() {
        let line = start..<newline
        start = newline + 1
        if isSkipping {
          isSkipping = false
          guard body(.oversized) else { return }
        } else if line.count > Self.longest {
          guard body(.oversized) else { return }
        } else {
          guard body(.whole(window[line], isTorn: false)) else { return }
        }
      }
      if try !fill() { break }
    }
    guard flushes, start < end || isSkipping else { return }
    let rest = start..<end
    start = end
    if isSkipping || rest.count > Self.longest {
      isSkipping = false
      _ = body(.oversized)
    } else {
      _ = body(.whole(window[rest], isTorn: true))
    }
  }

  /// Whether the file was made shorter since, and perhaps has grown again: it does not hold what was read.
  package var isRewritten: Bool {
    guard let size else { return false }
    if size < offset { return true }
    var held = [UInt8](repeating: 0, count: tail.count)
    let count = unsafe held.withUnsafeMutableBytes {
      unsafe pread(descriptor, $0.baseAddress, $0.count, off_t(offset - tail.count))
    }
    return count >= 0 && (count < tail.count || held != tail)
  }

  /// Begins anew at the file's first byte, after it was made shorter.
  package mutating func rewind() {
    _ = lseek(descriptor, 0, SEEK_SET)
    (start, end, offset, isSkipping, tail) = (0, 0, 0, false, [])
  }

  /// Goes on at a byte of the file, which must be the first of a line.
  package mutating func seek(to position: Int) {
    guard lseek(descriptor, off_t(position), SEEK_SET) >= 0 else { return }
    (start, end, offset, isSkipping, tail) = (0, 0, position, false, [])
  }

  /// Size of the file; nil where it is none.
  package var size: Int? {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
  }

  private func newline() -> Int? {
    guard start < end else { return nil }
    return unsafe window.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress,
        let found = unsafe memchr(base + start, 0x0a, end - start)
      else { return nil }
      return unsafe UnsafeRawPointer(found) - base
    }
  }

  /// - Returns: false at the present end of the input.
  fileprivate mutating func fill() throws(ReadingError) -> Bool {
    if end - start > Self.longest {
      // Nobody needs the rest of this line.
      isSkipping = true
      start = end
    }
    if start > 0 {
      let kept = end - start
      if kept > 0 {
        unsafe window.withUnsafeMutableBytes { bytes in
          guard let base = bytes.baseAddress else { return }
          unsafe memmove(base, base + start, kept)
        }
      }
      (start, end) = (0, kept)
    }
    while true {
      let count = unsafe window.withUnsafeMutableBytes { bytes in
        unsafe read(descriptor, bytes.baseAddress?.advanced(by: end), bytes.count - end)
      }
      let code = errno
      if count < 0, code == EINTR { continue }
      guard count >= 0 else { throw ReadingError(name, "read", code) }
      end += count
      offset += count
      if count > 0 { tail = Array(window[max(0, end - 64)..<end]) }
      return count > 0
    }
  }
}

/// An input that cannot be read.
package struct ReadingError: Error, CustomStringConvertible {
  package let description: String
  package let isMissing: Bool

  init(_ path: String, _ call: String, _ code: Int32) {
    description = "cannot read \(path): \(call): \(FileReader.describe(code))"
    isMissing = code == ENOENT
  }
}

/// A file, whatever paths lead to it.
package struct FileIdentity: Hashable, Sendable {
  private var device: UInt64
  private var inode: UInt64

  init?(descriptor: Int32) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return nil }
    (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
  }

  /// - Returns: nil where nothing is there.
  package init?(path: String) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
  }
}

extension LineReader {
  /// Everything up to the end, without a look at lines.
  package mutating func allBytes(limit: Int) throws(ReadingError) -> [UInt8] {
    while try fill(), end <= limit {}
    guard end <= limit else { throw ReadingError(name, "read", EFBIG) }
    return Array(window[start..<end])
  }
}
