internal import Glibc

/// Globs of paths.
enum PathExpansion {
  /// - Returns: the paths that match, in the order of their bytes; a path without a wildcard stands for
  ///   itself, whether it is there or not.
  static func expand(_ pattern: String) throws(FileProblem) -> [String] {
    guard pattern.utf8.contains(where: { [UInt8]("*?[\\".utf8).contains($0) }) else { return [pattern] }
    var found = unsafe glob_t()
    // Without GLOB_ERR a folder that cannot be read would drop its rules without a word.
    let status = unsafe glob(pattern, GLOB_ERR | GLOB_NOSORT, nil, &found)
    let code = errno
    defer { unsafe globfree(&found) }
    switch status {
    case 0: break
    case GLOB_NOMATCH: throw noMatch(pattern)
    case GLOB_ABORTED:
      throw FileProblem(
        code: "unreadable-file", message: "cannot read a folder of \(pattern): \(FileReader.describe(code))")
    default: throw FileProblem(code: "unreadable-file", message: "not enough memory to expand \(pattern)")
    }
    var paths: [String] = []
    for index in unsafe 0..<Int(found.gl_pathc) {
      if let path = unsafe found.gl_pathv[index] { paths.append(unsafe String(cString: path)) }
    }
    if paths.isEmpty { throw noMatch(pattern) }
    // By bytes, whatever locale the process has.
    return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func noMatch(_ pattern: String) -> FileProblem {
    FileProblem(
      code: "no-match", message: "no file matches \(pattern)", isMissing: true)
  }
}
