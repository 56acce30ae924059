internal import Glibc

/// What the kernel says of a path without reading what is there.
enum FileState: Hashable, Sendable {
  /// By its identity, its length, and when it was changed; the change of a mode or owner counts too (ctime).
  case there(device: UInt64, inode: UInt64, size: Int64, modified: Int64, changed: Int64)
  /// The errno of stat(2).
  case absent(Int32)

  init(_ status: stat) {
    self = .there(
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
      modified: Self.nanoseconds(status.st_mtim), changed: Self.nanoseconds(status.st_ctim))
  }

  /// Follows symbolic links, as reading does.
  init(of path: String) {
    var status = stat()
    if unsafe stat(path, &status) == 0 { self = FileState(status) } else { self = .absent(errno) }
  }

  private static func nanoseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}

/// All that was looked at to make a configuration, and how it was then: by it, a change is seen without reading.
struct FileTrace: Equatable, Sendable {
  private(set) var files: [String: FileState] = [:]
  /// What the globs of policies matched.
  private(set) var globs: [String: [String]] = [:]

  mutating func note(_ path: String, _ state: FileState) { files[path] = state }
  mutating func note(glob: String, _ paths: [String]) { globs[glob] = paths }

  /// The same paths, as they are now.
  func again() -> FileTrace {
    var now = FileTrace()
    for path in files.keys { now.files[path] = FileState(of: path) }
    for glob in globs.keys {
      do throws(FileProblem) { now.globs[glob] = try PathExpansion.expand(glob) } catch {
        now.globs[glob] = []
      }
    }
    return now
  }

  /// Whether a file was changed so shortly before a moment that it may have changed once more since, without its times
  /// telling: they are as coarse as the kernel's tick, and on some file systems as two seconds.
  /// - Parameter moment: when the trace was taken, in nanoseconds of the wall clock.
  func isFresh(at moment: Int64) -> Bool {
    let border = moment - 2_000_000_000
    return files.values.contains { state in
      guard case .there(_, _, _, let modified, let changed) = state else { return false }
      // A clock of another machine that is ahead says nothing.
      return (border...moment).contains(modified) || (border...moment).contains(changed)
    }
  }
}
