internal import Glibc

/// Files that a command makes.
package enum NewFiles {
  /// Writes files into a folder, which is made where it is not there. What is there already is never written
  /// over: somebody may have edited it.
  package static func write(_ texts: [String: String], into folder: String) throws(WritingError) {
    if unsafe mkdir(folder, 0o777) != 0, errno != EEXIST { throw WritingError(folder, "mkdir", errno) }
    let names = texts.keys.sorted()
    for name in names where unsafe access("\(folder)/\(name)", F_OK) == 0 {
      throw WritingError("\(folder)/\(name)", "open", EEXIST)
    }
    for name in names { try write(texts[name, default: ""], to: "\(folder)/\(name)") }
  }

  private static func write(_ text: String, to path: String) throws(WritingError) {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard descriptor >= 0 else { throw WritingError(path, "open", errno) }
    defer { _ = close(descriptor) }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      let code = errno
      if count < 0, code == EINTR { continue }
      guard count > 0 else { throw WritingError(path, "write", code) }
      rest = rest.dropFirst(count)
    }
  }
}

/// A file that cannot be written.
package struct WritingError: Error, CustomStringConvertible {
  package let description: String

  init(_ path: String, _ call: String, _ code: Int32) {
    description = "cannot write \(path): \(call): \(FileReader.describe(code))"
  }
}
