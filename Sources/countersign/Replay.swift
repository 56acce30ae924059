import AccessPolicy
import ArgumentParser
import ControlPlane
import Workbench

/// `countersign replay`: judges the recorded connections of audit logs again under other policies.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Judges the recorded connections of audit logs again under other policies.",
    discussion: """
      Each recorded verdict is compared with the one that the policies given come to, at the recorded moment and \
      from the recorded facts. Exits with 0 if no verdict changes, with 1 if one does or if one cannot be \
      decided because the log has cut a value that it hangs on, and with 2 if the policies have errors, a file \
      cannot be read, or the logs hold no verdict.
      """)

  @Option(name: .long, help: "Policy files or globs of them; may be given several times.")
  var policies: [String]

  @Option(name: .long, help: "text or json, on standard output.")
  var format: ReportFormat = .text

  @Argument(help: "Audit logs; - is standard input.", completion: .file())
  var audit: [String]

  func run() throws {
    let (_, policy, findings) = PolicyLoader.load(policies)
    FindingsReport(findings).printText()
    guard let policy else { throw ExitCode(2) }
    var replay = Replay(policy: policy)
    try AuditInput.forEachLine(audit) { line, file, number in
      let place = LinePlace(file: file, line: number)
      switch line {
      case .whole(let bytes, _): replay.feed(bytes, at: place)
      case .oversized: replay.feedOversized(at: place)
      }
      return true
    }
    let report = replay.report
    Console.error(lines: report.unreadable.text)
    try Output.write(format == .json ? try report.json() : report.text)
    guard report.decisions > 0 else {
      Console.error("no verdict to compare: the logs hold no connection-allowed or connection-denied record")
      throw ExitCode(2)
    }
    if report.changed > 0 || report.undecidable > 0 { throw ExitCode(1) }
  }
}

/// Reading the audit logs of a command line.
enum AuditInput {
  /// Opens every file first: a name that is wrong shows at once, not after an hour.
  static func forEachLine(
    _ paths: [String], _ body: (LineReader.Line, _ file: String, _ number: Int) -> Bool
  ) throws {
    do throws(ReadingError) {
      for path in paths where path != "-" { _ = try LineReader(path) }
      for path in paths {
        var reader = try LineReader(path)
        var number = 0
        var goesOn = true
        try reader.forEachLine { line in
          number += 1
          goesOn = body(line, path, number)
          return goesOn
        }
        if !goesOn { return }
      }
    } catch {
      Console.error("\(error)")
      throw ExitCode(2)
    }
  }
}

/// Standard output, whose reader may leave at any time (`| head`).
enum Output {
  /// - Throws: the end of the command, without a word, where nobody reads any more.
  static func write(_ text: String) throws {
    guard Console.output(text) else { throw ExitCode(0) }
  }
}
