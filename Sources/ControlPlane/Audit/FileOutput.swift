import AuditLog
import EventLoop
import GatewayConfiguration
import Glibc

/// The log in a file, or on a descriptor that the process was started with.
final class FileOutput: AuditOutput {
  let name: String
  private(set) var descriptor: Int32
  /// Nil for standard output and error.
  private let target: AuditTarget?
  private var isRegular: Bool
  /// The disk has the file's name.
  private var hasLastingName = false

  /// Bytes that POLLOUT promises room for (pipe(7): PIPE_BUF). Inherited descriptors may be shared with other
  /// processes, so they are not made non-blocking: what is written at one time never needs to wait instead.
  private static let safeChunk = 4096

  /// - Parameter number: 1 or 2; the output owns a duplicate of it.
  init(standard number: Int32) throws(SystemError) {
    self.name = number == 1 ? "stdout" : "stderr"
    self.target = nil
    self.descriptor = try FileCalls.duplicate(number)
    self.isRegular = FileCalls.status(descriptor).map { $0.isRegular } ?? false
  }

  init(_ target: AuditTarget) throws(AuditDestinationError) {
    self.name = target.path
    self.target = target
    do throws(FileProblem) {
      (self.descriptor, self.isRegular) = try target.open()
    } catch {
      throw AuditDestinationError(error)
    }
  }

  convenience init(_ configuration: Audit) throws(AuditDestinationError) {
    switch configuration.destination {
    case .standardOutput: try self.init(inherited: 1)
    case .standardError: try self.init(inherited: 2)
    case .file(let path):
      try self.init(AuditTarget(path: path, isSynced: configuration.durability == .synced))
    }
  }

  private convenience init(inherited number: Int32) throws(AuditDestinationError) {
    do { try self.init(standard: number) } catch {
      let name = number == 1 ? "stdout" : "stderr"
      throw AuditDestinationError(
        message: "cannot open the audit log \(name): \(error): the process was started without it")
    }
  }

  /// Whether what is said on standard error would stand among the records.
  var isStandardError: Bool {
    guard let own = FileCalls.status(descriptor), let other = FileCalls.status(STDERR_FILENO) else {
      return false
    }
    return own.identity == other.identity
  }

  func write(_ bytes: ArraySlice<UInt8>) -> OutputStep {
    if isRegular { return FileCalls.write(bytes, to: descriptor) }
    let readiness = FileCalls.poll(wake: nil, output: descriptor, milliseconds: 0)
    guard readiness.output else { return .wouldBlock }
    return FileCalls.write(bytes.prefix(Self.safeChunk), to: descriptor)
  }

  func takeBack(_ count: Int) -> Bool {
    // Without O_APPEND the next write would go to the old offset and leave a hole of zeros before it.
    guard target != nil, isRegular, let status = FileCalls.status(descriptor), status.size >= count else {
      return false
    }
    return FileCalls.truncate(descriptor, to: status.size - count)
  }

  func sync() -> SystemError? {
    if let target, !hasLastingName {
      if let failure = FileCalls.syncFolder(of: target.path) { return failure }
      hasLastingName = true
    }
    return FileCalls.sync(descriptor)
  }

  func reopen() throws(AuditDestinationError) -> Bool? {
    guard let target else { return nil }
    do throws(FileProblem) {
      if let fresh = try target.open(besides: descriptor) { take(fresh) }
    } catch {
      throw AuditDestinationError(error)
    }
    // A folder may hold the same file by another name now.
    hasLastingName = false
    guard isRegular, let size = FileCalls.status(descriptor)?.size, size > 0 else { return false }
    // A file that cannot be read is taken for a torn one: an empty line harms nothing.
    return (try? FileCalls.readEnd(target.path, from: size - 1)) != [UInt8(ascii: "\n")]
  }

  func restore() throws(SystemError) -> Bool {
    guard let target, isRegular, FileCalls.status(descriptor)?.isRemoved == true else { return false }
    let fresh = try FileCalls.openLog(target.path)
    let isRegular = FileCalls.status(fresh)?.isRegular ?? false
    do {
      if isRegular { try FileCalls.lock(fresh) }
    } catch {
      FileCalls.close(fresh)
      throw error
    }
    take((fresh, isRegular))
    return true
  }

  private func take(_ fresh: (descriptor: Int32, isRegular: Bool)) {
    FileCalls.close(descriptor)
    (descriptor, isRegular) = fresh
    hasLastingName = false
  }

  func close() { FileCalls.close(descriptor) }

  /// Where the chain of an existing file stands; nil where there is nothing to continue. What standard output
  /// goes to may hold the words of others: it is continued where that is possible, and never refused.
  ///
  /// - Parameter digest: the one that will seal; nil for a log without a chain.
  func tail(sealedBy digest: Digest?) throws(AuditDestinationError) -> ChainTail? {
    guard isRegular, let size = FileCalls.status(descriptor)?.size, size > 0 else { return nil }
    guard let target else {
      let found = try? AuditTarget.tail(of: "/proc/self/fd/\(descriptor)", size: size)
      guard let found, !found.isForeign else { return nil }
      return digest.map { !found.isUnsealed && found.isSealed(by: $0) } == false ? nil : found
    }
    do throws(FileProblem) {
      return try target.tail(size: size, sealedBy: digest)
    } catch {
      throw AuditDestinationError(error)
    }
  }
}
