import EventLoop

/// What a write came to.
enum OutputStep: Sendable {
  case written(Int)
  /// The reader is slow; wait for the descriptor.
  case wouldBlock
  case failed(SystemError)
}

/// Where the writer's bytes go. One thread uses it; tests put a scripted one in the kernel's place.
protocol AuditOutput: AnyObject {
  /// The destination, for people.
  var name: String { get }
  /// What poll(2) asks about after ``OutputStep/wouldBlock``.
  var descriptor: Int32 { get }
  /// Writes a beginning of the bytes, as many as go without waiting for a reader.
  func write(_ bytes: ArraySlice<UInt8>) -> OutputStep
  /// Takes the last bytes back, where the destination can forget.
  ///
  /// - Returns: whether they are gone.
  func takeBack(_ count: Int) -> Bool
  /// Waits until the disk has everything that was written.
  ///
  /// - Returns: why it has not.
  func sync() -> SystemError?
  /// Opens the path again, for a file that was rotated away. On an error the old file stays in use.
  ///
  /// - Returns: whether the file ends in a torn line; nil where there is no path to open.
  func reopen() throws(AuditDestinationError) -> Bool?
  /// Makes the file anew where it was removed: what is written to a file without a name is lost with it.
  ///
  /// - Returns: whether it was removed.
  func restore() throws(SystemError) -> Bool
  func close()
}
