import AccessPolicy
import GatewayConfiguration

/// Files as they are read for one purpose, each once, with what is wrong with them.
struct FileReading {
  var diagnostics: [Diagnostic] = []
  private(set) var files: [LoadedFile] = []
  private(set) var trace = FileTrace()
  /// Files that were read already: two listeners with one file see the same bytes.
  private var read: [String: FileContents] = [:]

  var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

  /// - Returns: the documents as far as they can be read, and whether that is all of them.
  mutating func documents(
    _ globs: [Located<String>]
  ) -> (documents: [PolicyDocument], isComplete: Bool) {
    documents(at: globs.flatMap { glob in expand(glob).map { Located($0, at: glob.location) } })
  }

  /// The same for paths, in which nothing stands for anything else.
  mutating func documents(
    at paths: [Located<String>]
  ) -> (documents: [PolicyDocument], isComplete: Bool) {
    var documents: [PolicyDocument] = []
    var seen: Set<FileContents.Identity> = []
    var complete = true
    for path in paths {
      guard let text = file(path.value, namedAt: path.location, limit: ConfigurationFiles.longest) else {
        complete = false
        continue
      }
      guard seen.insert(text.identity).inserted else { continue }
      let (draft, findings) = PolicyReader.draft(text.bytes, file: path.value)
      diagnostics += findings
      if let draft { documents.append(draft) }
      if findings.contains(where: { $0.severity == .error }) { complete = false }
    }
    return (documents, complete)
  }

  mutating func expand(_ glob: Located<String>) -> [String] {
    do throws(FileProblem) {
      let paths = try PathExpansion.expand(glob.value)
      trace.note(glob: glob.value, paths)
      return paths
    } catch {
      trace.note(glob: glob.value, [])
      report(error, at: glob.location)
      return []
    }
  }

  /// - Parameter location: who names the file: a finding about it stands there.
  mutating func file(
    _ path: String, namedAt location: SourceLocation, limit: Int
  ) -> FileContents? {
    if let contents = read[path] { return contents }
    do throws(FileProblem) {
      let contents = try FileReader.read(path, limit: limit)
      read[path] = contents
      trace.note(path, contents.state)
      files.append(LoadedFile(path: path, bytes: contents.bytes))
      return contents
    } catch {
      trace.note(path, FileState(of: path))
      report(error, at: location)
      return nil
    }
  }

  /// Reads a file whose hash must not be told: it is looked at for changes, and never among ``files``.
  mutating func secret(_ path: Located<String>, limit: Int) -> FileContents? {
    do throws(FileProblem) {
      let contents = try FileReader.read(path.value, limit: limit)
      trace.note(path.value, contents.state)
      return contents
    } catch {
      trace.note(path.value, FileState(of: path.value))
      report(error, at: path.location)
      return nil
    }
  }

  mutating func report(_ problem: FileProblem, at location: SourceLocation) {
    // A location without a line is the configuration file itself, which the command line names.
    let lost = problem.isMissing && location.line > 0
    diagnostics.append(
      Diagnostic(
        .error, at: location, code: problem.code, message: problem.message,
        hint: lost ? "relative paths begin at the folder of the configuration file" : problem.hint))
  }
}
