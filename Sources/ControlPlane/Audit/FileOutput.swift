import AuditLog
import EventLoop
import GatewayConfiguration
import Glibc

/// The log in a file, or on a descriptor that the process was started with.
final class FileOutput: AuditOutput {
  let name: String
  private(set) var descriptor: Int32
  /// Nil for standard output and error.
  private let path: String?
  private var isRegular: Bool
  /// Records are to be synced, which a regular file alone can be.
  private let isSynced: Bool
  /// The disk has the file's name.
  private var hasLastingName = false

  /// Bytes that POLLOUT promises room for (pipe(7): PIPE_BUF). Inherited descriptors may be shared with other
  /// processes, so they are not made non-blocking: what is written at one time never needs to wait instead.
  private static let safeChunk = 4096

  /// - Parameter number: 1 or 2; the output owns a duplicate of it.
  init(standard number: Int32) throws(SystemError) {
    self.name = number == 1 ? "stdout" : "stderr"
    self.path = nil
    self.isSynced = false
    self.descriptor = try FileCalls.duplicate(number)
    self.isRegular = FileCalls.status(descriptor).map { $0.isRegular } ?? false
  }

  init(path: String, isSynced: Bool = false) throws(AuditDestinationError) {
    self.name = path
    self.path = path
    self.isSynced = isSynced
    (self.descriptor, self.isRegular) = try Self.open(path, isSynced: isSynced)
  }

  convenience init(_ configuration: Audit) throws(AuditDestinationError) {
    let destination = configuration.destination
    do {
      switch destination {
      case .standardOutput: try self.init(standard: 1)
      case .standardError: try self.init(standard: 2)
      case .file(let path): try self.init(path: path, isSynced: configuration.durability == .synced)
      }
    } catch {
      throw AuditDestinationError(message: "cannot open the audit log \(destination.name): \(error)")
    }
  }

  private static func open(
    _ path: String, isSynced: Bool
  ) throws(AuditDestinationError) -> (descriptor: Int32, isRegular: Bool) {
    let descriptor: Int32
    do { descriptor = try FileCalls.openLog(path) } catch {
      throw AuditDestinationError(message: "\(error)")
    }
    let isRegular = FileCalls.status(descriptor).map { $0.isRegular } ?? false
    guard isRegular || !isSynced else {
      FileCalls.close(descriptor)
      throw AuditDestinationError(
        message: "it is no regular file, and nothing else can be synced: name a file, or write "
          + "durability: written")
    }
    return (descriptor, isRegular)
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
    guard path != nil, isRegular, let status = FileCalls.status(descriptor), status.size >= count else {
      return false
    }
    return FileCalls.truncate(descriptor, to: status.size - count)
  }

  func sync() -> SystemError? {
    if let path, !hasLastingName {
      if let failure = FileCalls.syncFolder(of: path) { return failure }
      hasLastingName = true
    }
    return FileCalls.sync(descriptor)
  }

  func reopen() throws(AuditDestinationError) -> Bool? {
    guard let path else { return nil }
    take(try Self.open(path, isSynced: isSynced))
    guard isRegular, let size = FileCalls.status(descriptor)?.size, size > 0 else { return false }
    // A file that cannot be read is taken for a torn one: an empty line harms nothing.
    return (try? FileCalls.readEnd(path, from: size - 1)) != [UInt8(ascii: "\n")]
  }

  func restore() throws(SystemError) -> Bool {
    guard let path, isRegular, FileCalls.status(descriptor)?.isRemoved == true else { return false }
    take((try FileCalls.openLog(path), true))
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
  /// - Parameter digest: the one that will seal: a chain that another has sealed is not continued.
  func tail(sealedBy digest: Digest?) throws(AuditDestinationError) -> ChainTail? {
    guard isRegular, let size = FileCalls.status(descriptor)?.size, size > 0 else { return nil }
    guard let path else {
      guard let tail = try? Self.tail(of: "/proc/self/fd/\(descriptor)", size: size) else { return nil }
      return tail.isForeign || digest.map(tail.isSealed) == false ? nil : tail
    }
    let found: ChainTail?
    do { found = try Self.tail(of: path, size: size) } catch {
      throw AuditDestinationError(message: "cannot read the audit log \(path): \(error)")
    }
    guard let found, !found.isForeign else {
      throw AuditDestinationError(
        message: "\(path) is no audit log: its lines are no records; move it away or name another file")
    }
    if let digest, !found.isSealed(by: digest) {
      throw AuditDestinationError(
        message: "the last record of \(path) was changed, or another audit.key has sealed it: "
          + "move the file away, so that a new chain begins")
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
