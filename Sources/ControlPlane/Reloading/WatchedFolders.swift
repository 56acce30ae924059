import Glibc

extension FileTrace {
  /// The folders in which a change of what was looked at shows: those of the files, those of every symbolic link on the
  /// way to them (Kubernetes swaps one, `..data`, that leads to a folder), and those where globs begin.
  var folders: Set<String> {
    var folders: Set<String> = []
    for path in files.keys { Self.add(path, to: &folders) }
    for (glob, paths) in globs {
      for path in paths { Self.add(path, to: &folders) }
      // A file of a folder that a wildcard stands for shows in the folder before it once it is there.
      let fixed = glob.split(separator: "/", omittingEmptySubsequences: false).prefix {
        !$0.utf8.contains { [UInt8]("*?[\\\\".utf8).contains($0) }
      }
      let folder = fixed.joined(separator: "/")
      Self.add((folder.isEmpty ? (glob.hasPrefix("/") ? "/" : ".") : folder) + "/*", to: &folders)
    }
    return folders
  }

  /// Follows a path name by name, as path_resolution(7) does.
  private static func add(_ path: String, to folders: inout Set<String>) {
    var folder = path.hasPrefix("/") ? "/" : "."
    var names = path.split(separator: "/").map(String.init)
    // The kernel's own bound (ELOOP).
    var links = 40
    while !names.isEmpty {
      let name = names.removeFirst()
      let place = folder == "/" ? "/\(name)" : "\(folder)/\(name)"
      guard let target = link(at: place), links > 0 else {
        if names.isEmpty { folders.insert(folder) }
        folder = place
        continue
      }
      links -= 1
      folders.insert(folder)
      names = target.split(separator: "/").map(String.init) + names
      if target.hasPrefix("/") { folder = "/" }
    }
  }

  /// - Returns: where a symbolic link leads; nil where there is none.
  private static func link(at path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe buffer.withUnsafeMutableBytes { bytes -> Int in
      guard let start = bytes.baseAddress else { return -1 }
      return unsafe readlink(path, start.assumingMemoryBound(to: CChar.self), bytes.count)
    }
    return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
  }
}
