import EventLoop
import Glibc

/// The system calls of the audit writer. `errno` is read on the line behind each call.
enum FileCalls {
  struct Status {
    /// The S_IFMT bits of the mode.
    var kind: mode_t
    var isRegular: Bool { kind == S_IFREG }
    /// No name leads to the file any more.
    var isRemoved: Bool
    var identity: FileIdentity
    var size: Int
  }

  struct FileIdentity: Equatable {
    var device: UInt
    var inode: UInt
  }

  struct Readiness {
    var wake: Bool
    /// Writable, or broken so that a write says how.
    var output: Bool
  }

  /// Not readable by others: the log names people. O_NONBLOCK matters for a FIFO, whose open would wait for
  /// a reader (fifo(7)); a regular file does not heed it.
  static func openLog(_ path: String) throws(SystemError) -> Int32 {
    let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
    while true {
      let number = unsafe Glibc.open(path, flags, 0o640)
      if number >= 0 { return number }
      let code = errno
      if code != EINTR { throw SystemError(call: "open", code: code) }
    }
  }

  static func duplicate(_ number: Int32) throws(SystemError) -> Int32 {
    let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { throw SystemError(call: "fcntl", code: errno) }
    return copy
  }

  static func status(_ descriptor: Int32) -> Status? {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return nil }
    return Status(status)
  }

  /// Of what a path leads to.
  static func status(of path: String) throws(SystemError) -> Status {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw SystemError(call: "stat", code: errno) }
    return Status(status)
  }

  /// Whether an open would be let, for the user that the process acts as; nothing is opened.
  static func checkAccess(_ path: String, _ mode: Int32) throws(SystemError) {
    guard unsafe faccessat(AT_FDCWD, path, mode, AT_EACCESS) != 0 else { return }
    throw SystemError(call: "faccessat", code: errno)
  }

  /// Somebody else has the lock.
  static let heldByAnother = SystemError(call: "flock", code: EWOULDBLOCK)

  /// Takes a file for this open file description alone. The kernel gives it back when the last descriptor of it
  /// is closed, however the process ends (flock(2)).
  static func lock(_ descriptor: Int32) throws(SystemError) {
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      if code != EINTR { throw SystemError(call: "flock", code: code) }
    }
  }

  /// Why a write or what comes before it failed, for people.
  static func describe(_ failure: SystemError) -> String {
    failure == heldByAnother ? "another process writes it" : "\(failure)"
  }

  /// The folder that a path's last part is in.
  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> OutputStep {
    while true {
      let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count >= 0 { return .written(count) }
      let code = errno
      if code == EAGAIN { return .wouldBlock }
      if code != EINTR { return .failed(SystemError(call: "write", code: code)) }
    }
  }

  static func truncate(_ descriptor: Int32, to size: Int) -> Bool { ftruncate(descriptor, size) == 0 }

  /// The data, and of the inode what is needed to read it back (fdatasync(2)).
  static func sync(_ descriptor: Int32) -> SystemError? {
    while fdatasync(descriptor) != 0 {
      let code = errno
      if code != EINTR { return SystemError(call: "fdatasync", code: code) }
    }
    return nil
  }

  /// A file's name is its folder's data, which fsync(2) of the file does not cover.
  static func syncFolder(of path: String) -> SystemError? {
    let number = unsafe Glibc.open(folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else { return SystemError(call: "open", code: errno) }
    defer { close(number) }
    while fsync(number) != 0 {
      let code = errno
      if code != EINTR { return SystemError(call: "fsync", code: code) }
    }
    return nil
  }

  static func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

  /// Waits until one of the descriptors is ready, a signal comes or the time is over; -1 waits for ever.
  static func poll(wake: Int32?, output: Int32?, milliseconds: Int32) -> Readiness {
    // A negative descriptor is passed over (poll(2)).
    var descriptors = [
      pollfd(fd: wake ?? -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: output ?? -1, events: Int16(POLLOUT), revents: 0),
    ]
    let ready = unsafe Glibc.poll(&descriptors, 2, milliseconds)
    guard ready > 0 else { return Readiness(wake: false, output: false) }
    return Readiness(wake: descriptors[0].revents != 0, output: descriptors[1].revents != 0)
  }

  /// A file's bytes from an offset on. O_NONBLOCK is for a pipe that took the file's place: its open would wait.
  static func readEnd(_ path: String, from offset: Int) throws(SystemError) -> [UInt8] {
    let number = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard number >= 0 else { throw SystemError(call: "open", code: errno) }
    defer { close(number) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes {
        unsafe pread(number, $0.baseAddress, $0.count, offset + bytes.count)
      }
      let code = errno
      if count < 0, code == EINTR { continue }
      guard count >= 0 else { throw SystemError(call: "pread", code: code) }
      if count == 0 { return bytes }
      bytes += chunk.prefix(count)
    }
  }
}

extension FileCalls.Status {
  fileprivate init(_ status: stat) {
    self.init(
      kind: status.st_mode & S_IFMT, isRemoved: status.st_nlink == 0,
      identity: .init(device: UInt(status.st_dev), inode: UInt(status.st_ino)), size: Int(status.st_size))
  }
}
