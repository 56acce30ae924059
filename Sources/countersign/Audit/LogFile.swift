import AuditLog
import ControlPlane
import Workbench

/// The ends of log files.
enum LogFile {
  /// By the first sealed line, and the last one in the file's last bytes.
  static func extent(of path: String) throws(ReadingError) -> LogExtent {
    var reader = try LineReader(path)
    var first: IntegrityMember?
    try reader.forEachLine { line in
      if case .whole(let bytes, _) = line { first = IntegrityMember(bytes) }
      return first == nil
    }
    guard let size = reader.size, first != nil else {
      return LogExtent(file: path, first: first, last: first)
    }
    var last = first
    var window = 1 << 16
    while true {
      reader.seek(to: max(0, size - window))
      var found: IntegrityMember?
      try reader.forEachLine { line in
        if case .whole(let bytes, _) = line, let member = IntegrityMember(bytes) { found = member }
        return true
      }
      if let found { last = found }
      if found != nil || window >= size { break }
      window *= 4
    }
    return LogExtent(file: path, first: first, last: last)
  }

  /// The bytes of an HMAC key.
  static func key(_ path: String) throws(ReadingError) -> [UInt8] {
    var reader = try LineReader(path)
    return try reader.allBytes(limit: 4096)
  }
}
