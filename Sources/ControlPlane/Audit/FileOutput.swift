import AuditLog
import EventLoop
import Glibc

/// The log in a file, or on a descriptor that the process was started with.
final class FileOutput: AuditOutput {
  let name: String
  private(set) var descriptor: Int32
  /// Nil for standard output and error.
  private let path: String?
  private var isRegular: Bool

  /// Bytes that POLLOUT promises room for (pipe(7): PIPE_BUF). Inherited descriptors may be shared with other
  /// processes, so they are not made non-blocking: what is written at one time never needs to wait instead.
  private static let safeChunk = 4096

  /// - Parameter number: 1 or 2; the output owns a duplicate of it.
  init(standard number: Int32) throws(SystemError) {
    self.name = number == 1 ? "stdout" : "stderr"
    self.path = nil
    self.descriptor = try FileCalls.duplicate(number)
    self.isRegular = FileCalls.status(descriptor).map { $0.isRegular } ?? false
  }

  init(path: String) throws(SystemError) {
    self.name = path
    self.path = path
    self.descriptor = try FileCalls.openLog(path)
    self.isRegular = FileCalls.status(descriptor).map { $0.isRegular } ?? false
  }

  func write(_ bytes: ArraySlice<UInt8>) -> OutputStep {
    if isRegular { return FileCalls.write(bytes, to: descriptor) }
    let readiness = FileCalls.poll(wake: nil, output: descriptor, milliseconds: 0)
    guard readiness.output else { return .wouldBlock }
    return FileCalls.write(bytes.prefix(Self.safeChunk), to: descriptor)
  }

  func takeBack(_ count: Int) -> Bool {
    // Without O_APPEND the next write would go to the old offset and leave a hole of zeros before it.
    guard path != nil, isRegular, let status = FileCalls.status(descriptor), status.size >= count else {
      return false
    }
    return FileCalls.truncate(descriptor, to: status.size - count)
  }

  func reopen() throws(SystemError) -> Bool? {
    guard let path else { return nil }
    let fresh = try FileCalls.openLog(path)
    FileCalls.close(descriptor)
    descriptor = fresh
    let status = FileCalls.status(fresh)
    isRegular = status?.isRegular ?? false
    guard let size = status?.size, isRegular, size > 0 else { return false }
    return try FileCalls.readEnd(path, from: size - 1) != [UInt8(ascii: "\n")]
  }

  func close() { FileCalls.close(descriptor) }

  /// Where the chain of an existing file stands; nil where there is nothing to continue. What standard output
  /// goes to may hold the words of others: it is continued where that is possible, and never refused.
  func tail() throws(AuditDestinationError) -> ChainTail? {
    guard isRegular, let size = FileCalls.status(descriptor)?.size, size > 0 else { return nil }
    guard let path else {
      guard let tail = try? Self.tail(of: "/proc/self/fd/\(descriptor)", size: size) else { return nil }
      return tail.isForeign ? nil : tail
    }
    let found: ChainTail?
    do { found = try Self.tail(of: path, size: size) } catch {
      throw AuditDestinationError(message: "cannot read the audit log \(path): \(error)")
    }
    guard let found, !found.isForeign else {
      throw AuditDestinationError(
        message: "\(path) is no audit log: its lines are no records; move it away or name another file")
    }
    return found
  }

  private static func tail(of path: String, size: Int) throws(SystemError) -> ChainTail? {
    var window = 65_536
    while true {
      let start = max(0, size - window)
      let bytes = try FileCalls.readEnd(path, from: start)
      if let tail = ChainTail(bytes, isWhole: start == 0) { return tail }
      if window >= largestTail { return nil }
      window *= 4
    }
  }

  /// Far more than the longest record, so that a file of something else is not read whole.
  private static let largestTail = 1 << 26
}
