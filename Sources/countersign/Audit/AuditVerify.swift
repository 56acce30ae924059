import ArgumentParser
import AuditLog
import ControlPlane
import TLSEngine
import Workbench

/// `countersign audit`: reading and checking logs.
struct Audit: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Reads audit logs for people, and checks that nobody has changed them.",
    subcommands: [AuditTail.self, AuditVerify.self])

  func run() throws { throw WrongUsage.noSubcommand(of: Self.self) }
}

/// `countersign audit verify`: checks the hash chain of logs.
struct AuditVerify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Checks the hash chain of audit logs, and names the first bad line.",
    discussion: """
      Rotated files are put into the order of their chain, whatever order they are named in. Lines that are \
      missing at the very end leave no trace in the file: keep the last fingerprint, which is printed, somewhere \
      else, and give it with --expect-last the next time. Exits with 0 if all is as it was written (a line that a \
      kill cut off is no tampering) or there is no record, with 1 if not, and with 2 if a file or the key cannot \
      be read.
      """)

  @Option(name: .long, help: "The key that the gateway's audit.key names.", completion: .file())
  var key: String?

  @Option(name: .long, help: "A fingerprint that the logs must hold: the last one of an earlier check.")
  var expectLast: String?

  @Option(name: .long, help: "text or json, on standard output.")
  var format: ReportFormat = .text

  @Argument(help: "Audit logs of one gateway or more; - alone is standard input.", completion: .file())
  var files: [String]

  func validate() throws {
    if files.contains("-"), files.count > 1 { throw ValidationError("- stands for one log, and alone") }
    if let expectLast, expectLast.count != 64 || !expectLast.allSatisfy(\.isHexDigit) {
      throw ValidationError("--expect-last: expected 64 hexadecimal digits")
    }
  }

  func run() throws {
    var check = ChainCheck(digest: try digest(), expected: expectLast?.lowercased())
    do {
      let extents =
        files == ["-"]
        ? [LogExtent(file: "-", first: nil, last: nil)] : try files.map { try LogFile.extent(of: $0) }
      for run in LogExtent.runs(extents) {
        check.beginRun()
        for extent in run { try Self.feed(extent, to: &check) }
        check.endRun()
      }
    } catch let error as ReadingError {
      throw try CannotGoOn.because("\(error)", asJSON: format == .json)
    }
    check.finish()
    try Output.write(format == .json ? try check.json() : check.text)
    if !check.cases.isEmpty { throw ExitCode(1) }
  }

  private static func feed(_ extent: LogExtent, to check: inout ChainCheck) throws {
    check.begin(extent)
    var reader = try LineReader(extent.file)
    var isTorn = false
    try reader.forEachLine { line in
      switch line {
      case .whole(let bytes, let torn):
        isTorn = torn
        check.feed(bytes)
      case .oversized: check.feedOversized()
      }
      return true
    }
    check.end(torn: isTorn)
  }

  private func digest() throws -> Digest {
    guard let key else { return { SHA256.hash($0) } }
    do {
      let bytes = try LogFile.key(key)
      return { SHA256.authenticate($0, key: bytes) }
    } catch {
      throw try CannotGoOn.because("\(error)", asJSON: format == .json)
    }
  }
}
