internal import CLinux
internal import Glibc

/// The file by which clients find a Unix listener. It is held open (O_PATH, open(2)), so that mode and owner
/// go to this file and to no other that takes its place, and so that its inode's number stays its own.
package final class UnixSocketFile: Sendable {
  package let path: String
  private let handle: SharedDescriptor

  /// Takes the file that bind(2) has just made.
  init(_ path: String) throws(SystemError) {
    self.path = path
    let flags = countersign_path_handle() | O_NOFOLLOW | O_CLOEXEC
    let number = try SystemCall.checked("open") { Int(unsafe open(path, flags)) }
    handle = SharedDescriptor(Descriptor(adopting: Int32(truncatingIfNeeded: number)))
    var status = stat()
    try SystemCall.checked("fstat") { Int(unsafe fstat(handle.number, &status)) }
    // Somebody else has put another file there since bind(2).
    guard status.st_mode & S_IFMT == S_IFSOCK else { throw SystemError(call: "open", code: ENOTSOCK) }
  }

  /// Sets mode and owner. The link in /proc leads to the file that is held, wherever the path leads by now;
  /// fchmod(2) refuses such a handle. First the mode: afterwards the file may be another user's.
  package func grant(_ access: UnixSocketAccess) throws(SystemError) {
    let link = "/proc/self/fd/\(handle.number)"
    try SystemCall.checked("chmod") { Int(unsafe chmod(link, access.mode)) }
    guard access.user != nil || access.group != nil else { return }
    // (uid_t)-1 leaves an id as it is (chown(2)).
    try SystemCall.checked("chown") { Int(unsafe chown(link, access.user ?? .max, access.group ?? .max)) }
  }

  /// Removes the file if the path still leads to it; otherwise it is another process's, and stays. Call it
  /// while the socket still listens: a successor replaces dead sockets only, so that there is nothing to
  /// confuse.
  package func remove() {
    var held = stat()
    var found = stat()
    guard unsafe fstat(handle.number, &held) == 0, unsafe lstat(path, &found) == 0,
      held.st_dev == found.st_dev, held.st_ino == found.st_ino
    else { return }
    _ = unsafe unlink(path)
  }

  /// A Unix listener that died leaves its file, and bind(2) says EADDRINUSE for ever. The file goes only if
  /// it is a socket on which nobody listens (ECONNREFUSED); about every other file bind has the word.
  static func removeDead(_ path: String, _ target: SocketAddress) throws(SystemError) {
    var status = stat()
    guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
    let probe = try openSocket(AF_UNIX)
    let number = probe.number
    let outcome = SystemCall.once {
      Int(unsafe target.withPointer { unsafe connect(number, $0, $1) })
    }
    probe.close()
    guard case .failure(ECONNREFUSED) = outcome else { return }
    try SystemCall.checked("unlink") { Int(unsafe unlink(path)) }
  }
}
