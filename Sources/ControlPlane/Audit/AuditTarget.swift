import AuditLog
import EventLoop
import Foundation
import Glibc

/// The path that the records go to: the start opens it, and `check` looks at it.
struct AuditTarget {
  let path: String
  /// Records are to be synced, which a regular file alone can be.
  let isSynced: Bool

  /// Far more than the longest record, so that a file of something else is not read whole.
  private static let largestTail = 1 << 26

  /// Opens the file for appending, makes it where it is not there, and takes it for this process alone: two
  /// writers would both go on from the same record, and the chain would fork.
  func open() throws(FileProblem) -> (descriptor: Int32, isRegular: Bool) {
    try locked(try unlocked())
  }

  /// The same for a path that may lead elsewhere by now.
  ///
  /// - Parameter own: the descriptor that is in use.
  /// - Returns: nil where the path leads to the file of `own`, whose lock a second open file description
  ///   could not take (flock(2)).
  func open(besides own: Int32) throws(FileProblem) -> (descriptor: Int32, isRegular: Bool)? {
    let fresh = try unlocked()
    if fresh.isRegular, FileCalls.status(fresh.descriptor)?.identity == FileCalls.status(own)?.identity {
      FileCalls.close(fresh.descriptor)
      return nil
    }
    return try locked(fresh)
  }

  private func unlocked() throws(FileProblem) -> (descriptor: Int32, isRegular: Bool) {
    let descriptor: Int32
    do { descriptor = try FileCalls.openLog(path) } catch { throw problem(error) }
    guard let status = FileCalls.status(descriptor) else { return (descriptor, false) }
    do { try check(status) } catch {
      FileCalls.close(descriptor)
      throw error
    }
    return (descriptor, status.isRegular)
  }

  private func locked(
    _ file: (descriptor: Int32, isRegular: Bool)
  ) throws(FileProblem) -> (descriptor: Int32, isRegular: Bool) {
    guard file.isRegular else { return file }
    do { try FileCalls.lock(file.descriptor) } catch {
      FileCalls.close(file.descriptor)
      if error == FileCalls.heldByAnother {
        throw refused("another process writes the audit log \(path)", "stop it, or name another file")
      }
      throw refused(
        "cannot lock the audit log \(path): \(error)", "name a file on a file system that can lock files")
    }
    return file
  }

  /// Finds what ``open()`` would refuse, without opening anything: nothing is made, no reader of a pipe
  /// is waited for, and a gateway that holds the file goes on.
  ///
  /// - Returns: what is there; nil where the file would be made.
  func inspect() throws(FileProblem) -> FileCalls.Status? {
    let status: FileCalls.Status
    do {
      status = try FileCalls.status(of: path)
    } catch {
      guard error.code == ENOENT else { throw problem(error) }
      try inspectFolder()
      return nil
    }
    try check(status)
    do { try FileCalls.checkAccess(path, W_OK) } catch { throw problem(error) }
    return status
  }

  private func inspectFolder() throws(FileProblem) {
    let folder = FileCalls.folder(of: path)
    // O_CREAT makes what a link leads to.
    if let end = try? FileManager.default.destinationOfSymbolicLink(atPath: path) {
      let end = end.hasPrefix("/") ? end : "\(folder)/\(end)"
      return try AuditTarget(path: end, isSynced: isSynced).inspectFolder()
    }
    do {
      _ = try FileCalls.status(of: folder)
      try FileCalls.checkAccess(folder, W_OK | X_OK)
    } catch {
      throw problem(error)
    }
  }

  private func check(_ status: FileCalls.Status) throws(FileProblem) {
    switch status.kind {
    case S_IFREG: return
    case S_IFDIR: throw problem(SystemError(call: "open", code: EISDIR))
    case S_IFSOCK: throw problem(SystemError(call: "open", code: ENXIO))
    default: break
    }
    guard isSynced else { return }
    throw cannotOpen(
      "it is no regular file, and nothing else can be synced", "name a file, or write durability: written")
  }

  /// Where the chain of an existing file stands; nil where there is nothing to continue.
  ///
  /// - Parameter digest: the one that will seal; nil for a log without a chain. What the chain of the file
  ///   cannot go on with is refused: `audit verify` would call it tampering for ever.
  func tail(size: Int, sealedBy digest: Digest?) throws(FileProblem) -> ChainTail? {
    guard size > 0 else { return nil }
    let found: ChainTail?
    do { found = try Self.tail(of: path, size: size) } catch {
      throw refused("cannot read the audit log \(path): \(error)", "let the gateway's user read it")
    }
    let remedy = "move it away or name another file"
    guard let found, !found.isForeign else {
      throw refused("\(path) is no audit log: its lines are no records", remedy)
    }
    guard let digest else {
      guard found.position == nil else {
        throw refused("the last record of \(path) is sealed, and integrity: false ends its chain", remedy)
      }
      return found
    }
    guard !found.isUnsealed else {
      throw refused("the last record of \(path) is not sealed: was it written with integrity: false?", remedy)
    }
    guard found.isSealed(by: digest) else {
      throw refused(
        "the last record of \(path) was changed, or another audit.key has sealed it",
        "move the file away, so that a new chain begins")
    }
    return found
  }

  static func tail(of path: String, size: Int) throws(SystemError) -> ChainTail? {
    var window = 65_536
    while true {
      let start = max(0, size - window)
      let bytes = try FileCalls.readEnd(path, from: start)
      if let tail = ChainTail(bytes, isWhole: start == 0) { return tail }
      if window >= largestTail { return nil }
      window *= 4
    }
  }

  // MARK: Words

  private func problem(_ error: SystemError) -> FileProblem {
    switch error.code {
    case ENOENT:
      cannotOpen(
        "\(error)", "create the folder; relative paths begin at the folder of the configuration file")
    case ENOTDIR: cannotOpen("\(error)", "a part of the path is a file: name another one")
    case EISDIR: cannotOpen("it is a folder", "name a file in it")
    case ENXIO where (try? FileCalls.status(of: path))?.kind == S_IFIFO:
      cannotOpen("nobody reads this pipe", "start its reader first")
    case ENXIO: cannotOpen("it is a socket, or a device that is not there", "name a file or a pipe")
    case EACCES, EPERM:
      cannotOpen("\(error)", "let the gateway's user write the file, and its folder, where it is made")
    default: cannotOpen("\(error)", "name another file")
    }
  }

  private func cannotOpen(_ cause: String, _ remedy: String) -> FileProblem {
    refused("cannot open the audit log \(path): \(cause)", remedy)
  }

  private func refused(_ message: String, _ remedy: String) -> FileProblem {
    FileProblem(code: "unusable-audit-log", message: message, hint: remedy)
  }
}

extension AuditDestinationError {
  /// On one line.
  init(_ problem: FileProblem) {
    // A question has its answer behind it.
    let joint = problem.message.hasSuffix("?") ? " " : ": "
    self.init(message: problem.message + (problem.hint.map { joint + $0 } ?? ""))
  }
}
