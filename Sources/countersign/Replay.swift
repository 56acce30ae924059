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
      cannot be read, or the logs hold no verdict that this version reads.
      """)

  @Option(name: .long, help: "Policy files or globs of them; may be given several times.")
  var policies: [String]

  @Option(name: .long, help: "text or json, on standard output.")
  var format: ReportFormat = .text

  @Argument(help: "Audit logs; - is standard input.", completion: .file())
  var audit: [String]

  func run() throws {
    let (_, policy, findings) = PolicyLoader.load(policies)
    let isJSON = format == .json
    if !isJSON || policy == nil { try FindingsReport(findings).print(asJSON: isJSON) }
    guard let policy else { throw ExitCode(2) }
    var replay = Replay(policy: policy)
    do throws(AuditInput.Problem) {
      try AuditInput.read(audit, into: &replay)
    } catch {
      throw try CannotGoOn.because(error.message, asJSON: isJSON, findings: findings)
    }
    let report = replay.report
    if !isJSON { Console.error(lines: report.unreadable.text) }
    try Output.write(isJSON ? try report.json(findings: findings) : report.text)
    if let shortage = report.shortage {
      if !isJSON { Console.error(shortage) }
      throw ExitCode(2)
    }
    if report.changed > 0 || report.undecidable > 0 { throw ExitCode(1) }
  }
}
