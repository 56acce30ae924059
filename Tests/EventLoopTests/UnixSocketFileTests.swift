import EventLoop
import Glibc
import Testing

/// The file of a Unix listener: who may connect, and whose it is.
@Suite struct UnixSocketFileTests {
  @Test func withoutAWordItIsForTheOwnUser() throws {
    try withTemporaryFolder { folder in
      let socket = try ListeningSocket.listen(on: .unix(folder + "/socket"), backlog: 1, reusePort: false)
      socket.close()
      #expect(try status(folder + "/socket").st_mode & 0o777 == 0o600)
    }
  }

  /// The umask is the whole process's, and other tests make files: it stays, and takes bits of these away.
  @Test(arguments: [UInt32(0o666), 0o777, 0o620, 0o200])
  func theModeIsExactWhateverTheUmask(_ mode: UInt32) throws {
    try withTemporaryFolder { folder in
      let socket = try ListeningSocket.listen(
        on: .unix(folder + "/socket"), backlog: 1, reusePort: false, access: .init(mode: mode))
      socket.close()
      #expect(try status(folder + "/socket").st_mode & 0o777 == mode)
    }
  }

  @Test func ownerAndGroupAreGiven() throws {
    try withTemporaryFolder { folder in
      // Giving a file to its owner and group is everybody's right; root's tests give it away.
      let (user, group) = geteuid() == 0 ? (UInt32(12), UInt32(34)) : (geteuid(), getegid())
      let socket = try ListeningSocket.listen(
        on: .unix(folder + "/socket"), backlog: 1, reusePort: false,
        access: .init(mode: 0o660, user: user, group: group))
      socket.close()
      let found = try status(folder + "/socket")
      #expect(found.st_uid == user)
      #expect(found.st_gid == group)
      #expect(found.st_mode & 0o777 == 0o660)
    }
  }

  @Test func itIsRemovedByHandOnly() throws {
    try withTemporaryFolder { folder in
      let socket = try ListeningSocket.listen(on: .unix(folder + "/socket"), backlog: 1, reusePort: false)
      let opened = socket.file
      socket.close()
      let file = try #require(opened)
      #expect(exists(folder + "/socket"))
      file.remove()
      #expect(!exists(folder + "/socket"))
      file.remove()
    }
  }

  @Test func theFileOfASuccessorStays() throws {
    try withTemporaryFolder { folder in
      let address = NetworkAddress.unix(folder + "/socket")
      let first = try ListeningSocket.listen(on: address, backlog: 1, reusePort: false)
      let opened = first.file
      first.close()
      let file = try #require(opened)
      let second = try ListeningSocket.listen(on: address, backlog: 4, reusePort: false)
      file.remove()
      let pair = try connect(to: address, second)
      pair.close()
      second.close()
    }
  }

  @Test func aSymbolicLinkIsNeverFollowed() throws {
    try withTemporaryFolder { folder in
      let file = folder + "/file"
      let number = unsafe open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
      #expect(close(number) == 0)
      #expect(unsafe symlink(file, folder + "/socket") == 0)
      #expect(throws: SystemError(call: "bind", code: EADDRINUSE)) {
        try ListeningSocket.listen(
          on: .unix(folder + "/socket"), backlog: 1, reusePort: false, access: .init(mode: 0o666)
        ).close()
      }
      let found = try status(file)
      #expect(found.st_mode & 0o777 == 0o600)
    }
  }

  private func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  private func status(_ path: String) throws -> stat {
    var found = stat()
    guard unsafe lstat(path, &found) == 0 else { throw SetUpFailure(what: "no file \(path)") }
    return found
  }
}
