/// Who may connect to a Unix socket: connecting takes the right to write to its file (unix(7)).
package struct UnixSocketAccess: Hashable, Sendable {
  /// Permission bits, as chmod(1) takes them.
  package var mode: UInt32
  /// The file's owner; nil leaves the process's own.
  package var user: UInt32?
  /// The file's group; nil leaves the process's own.
  package var group: UInt32?

  /// Without anything said, only processes of our own user may connect.
  package init(mode: UInt32 = 0o600, user: UInt32? = nil, group: UInt32? = nil) {
    self.mode = mode
    self.user = user
    self.group = group
  }
}
