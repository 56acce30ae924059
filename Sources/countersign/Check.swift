import AccessPolicy
import ArgumentParser
import ControlPlane
import DataPlane
import GatewayConfiguration

/// `countersign check`: reads everything that `serve` would, and shows every finding at once.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Reads everything that serve would, and shows all findings.",
    discussion: "Exits with 0 if there is no error, with 1 if --strict turns warnings into a failure, "
      + "and with 2 if there are errors.")

  @Option(name: .long, help: "The configuration file.", completion: .file(extensions: ["yaml", "yml"]))
  var config: String

  @Option(name: .long, help: "text: findings on standard error; json: on standard output.")
  var format: ReportFormat = .text

  @Flag(name: .long, help: "Exit with 1 if there are warnings.")
  var strict = false

  func run() throws {
    var (loaded, findings) = ConfigurationLoader.load(path: config)
    if let loaded {
      let now = Clock.system.wall()
      // The certificates and keys, as the listeners would use them.
      findings += SnapshotBuilder.build(loaded, now: now).findings
      findings += loaded.policy.lint(
        loaded.documents,
        listeners: loaded.configuration.listeners.map {
          LintedListener(
            name: $0.name.value, upstream: $0.upstream.value, wireProtocol: $0.wireProtocol.rawValue,
            trustLabels: $0.tls.trustLabels)
        }, at: now)
    }
    let report = FindingsReport(findings.sorted { $0.location < $1.location })
    switch format {
    case .json: print(try report.json(), terminator: "")
    case .text:
      report.printText()
      print("\(config): \(loaded.map(Self.contents) ?? "cannot be served"): \(report.summary)")
    }
    switch report.outcome {
    case .clean: return
    case .warnings: if strict { throw ExitCode(1) }
    case .errors: throw ExitCode(2)
    }
  }

  private static func contents(_ loaded: LoadedConfiguration) -> String {
    let callers = loaded.documents.reduce(0) { $0 + $1.callers.count }
    let rules = loaded.documents.reduce(0) { $0 + $1.rules.count }
    return "listeners \(loaded.configuration.listeners.count), callers \(callers), rules \(rules)"
  }
}

/// `--format` of every command that reports.
enum ReportFormat: String, ExpressibleByArgument, CaseIterable { case text, json }

extension FindingsReport {
  /// Why a command cannot go on, or what it found on its way.
  func print(asJSON: Bool) throws {
    if asJSON { Swift.print(try json(), terminator: "") } else { printText() }
  }

  /// Writes the findings to standard error, where they do not mix with a command's result.
  func printText() {
    if !text.isEmpty { Console.error(String(text.dropLast())) }
  }
}
