package import AccessPolicy
internal import Foundation
internal import GatewayConfiguration

/// Policies that are judged by together, with their tests.
package struct PolicySet: Sendable {
  /// The folder of the configuration that they lie beside, or what the command line says.
  package var name: String
  package var documents: [PolicyDocument]
  /// nil where a finding is an error.
  package var policy: Policy?
  /// What the configuration beside them calls its listeners; nil where there is none.
  package var listeners: [String]?

  package var tests: [PolicyTest] { documents.flatMap(\.tests) }
}

/// Finds policies and their tests in files and folders.
///
/// A configuration is no policy file. A folder that has one is a set of its own with everything below it, and
/// the configuration says which listeners there are; everything else that is named is one set together, whose
/// rules may speak of any listener.
package enum PolicySetLoader {
  /// Deeper folders than these are links in a circle.
  private static let deepest = 32

  /// - Parameter paths: files, globs, and folders, of which every `.yaml` and `.yml` file is read.
  /// - Returns: the sets in the order of their names, and all findings in the order of file, line and column.
  package static func load(_ paths: [String]) -> (sets: [PolicySet], diagnostics: [Diagnostic]) {
    var reading = FileReading()
    var files: [String] = []
    for path in paths {
      let location = SourceLocation(file: path)
      for found in reading.expand(Located(path, at: location)) {
        do throws(FileProblem) {
          files += try policyFiles(found, depth: 0)
        } catch {
          reading.report(error, at: location)
        }
      }
    }
    var listeners: [String: [String]?] = [:]
    var policies: [String] = []
    for path in files {
      let contents = reading.file(
        path, namedAt: SourceLocation(file: path), limit: ConfigurationFiles.longest)
      guard let contents else { continue }
      guard ConfigurationNames.isConfiguration(contents.bytes, file: path) else {
        policies.append(path)
        continue
      }
      let names = ConfigurationNames.listeners(contents.bytes, file: path)
      // Of two configurations in one folder, either may name a listener.
      let known = listeners[folder(of: path)] ?? []
      listeners[folder(of: path)] = .some(known.flatMap { known in names.map { known + $0 } })
    }
    let bySet = Dictionary(grouping: policies) { home(of: $0, among: Set(listeners.keys)) ?? "" }
    let sets = bySet.sorted { $0.key < $1.key }.map { folder, files in
      set(folder, files, listeners[folder] ?? nil, paths, &reading)
    }
    return (sets, reading.diagnostics.sorted { $0.location < $1.location })
  }

  private static func set(
    _ folder: String, _ files: [String], _ listeners: [String]?, _ paths: [String],
    _ reading: inout FileReading
  ) -> PolicySet {
    let (documents, isComplete) = reading.documents(
      at: files.map { Located($0, at: SourceLocation(file: $0)) })
    var set = PolicySet(
      name: folder.isEmpty ? paths.joined(separator: " ") : folder, documents: documents, listeners: listeners
    )
    guard isComplete else { return set }
    let (policy, findings) = Policy.compile(documents, listeners: listeners)
    reading.diagnostics += findings
    // Tests without any policies are told of as such.
    if let policy, !policy.items.isEmpty {
      reading.diagnostics += policy.testFindings(documents, listeners: listeners)
    }
    set.policy = policy
    return set
  }

  /// The files that a path of the command line stands for, in the order of their bytes.
  private static func policyFiles(_ path: String, depth: Int) throws(FileProblem) -> [String] {
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
    else {
      return [path]
    }
    guard depth < deepest else {
      throw FileProblem(code: "unreadable-file", message: "\(path): more than \(deepest) folders deep")
    }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
      throw FileProblem(code: "unreadable-file", message: "cannot read the folder \(path)")
    }
    var files: [String] = []
    for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) where !name.hasPrefix(".") {
      let child = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
      var isFolder: ObjCBool = false
      let exists = unsafe FileManager.default.fileExists(atPath: child, isDirectory: &isFolder)
      if exists, isFolder.boolValue {
        files += try policyFiles(child, depth: depth + 1)
      } else if name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
        files.append(child)
      }
    }
    return files
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The nearest folder above a file that has a configuration.
  private static func home(of path: String, among folders: Set<String>) -> String? {
    var folder = folder(of: path)
    while !folders.contains(folder) {
      let parent = Self.folder(of: folder)
      guard folder.contains("/"), parent != folder else { return nil }
      folder = parent
    }
    return folder
  }
}
