internal import Glibc

/// Why a file could not be read, in words for the person who named it.
package struct FileProblem: Error {
  var code: String
  package var message: String
  var hint: String?
  /// Nothing is there: perhaps the path was meant to begin elsewhere.
  var isMissing = false
}

/// What was read of a file, and what the file was while it was read.
struct FileContents {
  /// A file's identity, whatever paths lead to it.
  struct Identity: Hashable {
    var device: UInt64
    var inode: UInt64
  }

  var bytes: [UInt8]
  var identity: Identity
  /// Before the first byte was read.
  var state: FileState
  /// Permission bits, as chmod(1) takes them.
  var mode: UInt32
}

/// Reads whole files. Everything is asked of the open descriptor, so that a path that changes meanwhile (a
/// mounted secret is swapped by symbolic links) gives one file's contents and that file's permissions.
enum FileReader {
  /// - Parameter limit: the longest file that is read, in bytes.
  static func read(_ path: String, limit: Int) throws(FileProblem) -> FileContents {
    // Without O_NONBLOCK the open of a FIFO would wait for a writer.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw unreadable(path, "open", errno) }
    defer { _ = close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw unreadable(path, "fstat", errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw FileProblem(code: "unreadable-file", message: "\(path) is not a regular file")
    }
    guard status.st_size <= limit else { throw tooLarge(path, limit) }
    return FileContents(
      bytes: try contents(of: descriptor, path: path, expected: Int(status.st_size), limit: limit),
      identity: .init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)),
      state: FileState(status),
      mode: UInt32(status.st_mode & 0o7777))
  }

  private static func contents(
    of descriptor: Int32, path: String, expected: Int, limit: Int
  ) throws(FileProblem) -> [UInt8] {
    // One byte more than the file had shows whether it grew meanwhile.
    var bytes = [UInt8](repeating: 0, count: expected + 1)
    var count = 0
    while true {
      if count == bytes.count {
        guard bytes.count <= limit else { throw tooLarge(path, limit) }
        bytes += [UInt8](repeating: 0, count: bytes.count)
      }
      let step = unsafe bytes.withUnsafeMutableBytes { buffer in
        // The slice is not empty: count < buffer.count.
        unsafe Glibc.read(descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count)
      }
      if step < 0 {
        let code = errno
        if code == EINTR { continue }
        throw unreadable(path, "read", code)
      }
      if step == 0 { break }
      count += step
    }
    guard count <= limit else { throw tooLarge(path, limit) }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  /// What errno means, such as `No such file or directory`.
  static func describe(_ code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }

  private static func unreadable(_ path: String, _ call: String, _ code: Int32) -> FileProblem {
    FileProblem(
      code: "unreadable-file", message: "cannot read \(path): \(call): \(describe(code))",
      isMissing: code == ENOENT)
  }

  private static func tooLarge(_ path: String, _ limit: Int) -> FileProblem {
    FileProblem(code: "too-large", message: "\(path) is longer than \(limit) bytes")
  }
}
