import AccessPolicy
import ArgumentParser
import ControlPlane
import DataPlane
import Workbench

/// `countersign test`: runs the tests that lie beside policies.
struct Test: ParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, junit }

  static let configuration = CommandConfiguration(
    abstract: "Runs the policy tests.",
    discussion: "Reads the policies and tests in the files and folders given; a folder with a configuration "
      + "is a set of its own. Exits with 0 if all tests pass, with 1 if one fails, and with 2 if there are no "
      + "tests or the policies have errors.")

  @Argument(help: "Policy files, globs, and folders.", completion: .file(extensions: ["yaml", "yml"]))
  var paths: [String]

  @Option(name: .long, help: "text, json, or junit: XML for build servers.")
  var format: Format = .text

  @Flag(name: .long, help: "Exit with 1 if no test reaches some rule or caller.")
  var requireCoverage = false

  func run() throws {
    let (sets, findings) = PolicySetLoader.load(paths)
    let hasErrors = findings.contains { $0.severity == .error }
    let isJSON = format == .json
    // Standard output has room for one document: that of the tests, where they can run.
    if !isJSON || hasErrors { try FindingsReport(findings).print(asJSON: isJSON) }
    if hasErrors { throw ExitCode(2) }
    let report: PolicyTestReport
    do throws(NothingToRun) {
      report = try run(sets)
    } catch {
      throw try CannotGoOn.because(error.message, asJSON: isJSON, findings: findings)
    }
    switch format {
    case .text: print(report.text, terminator: "")
    case .json: print(try report.json(findings: findings), terminator: "")
    case .junit: print(report.junit, terminator: "")
    }
    if !report.failed.isEmpty || requireCoverage && !report.unreached.isEmpty { throw ExitCode(1) }
  }

  /// Why no test can run.
  private struct NothingToRun: Error { var message: String }

  private func run(_ sets: [PolicySet]) throws(NothingToRun) -> PolicyTestReport {
    let place = paths.joined(separator: " ")
    guard sets.contains(where: { !$0.tests.isEmpty }) else {
      throw NothingToRun(
        message: "\(place): no policy tests were found; they stand under 'tests:' in policy files")
    }
    let now = Clock.system.wall()
    var report = PolicyTestReport()
    for set in sets {
      guard let policy = set.policy else { continue }
      guard set.tests.isEmpty || !policy.items.isEmpty else {
        throw NothingToRun(
          message:
            "\(set.name): there are tests and no policies; name the policy files or their folder as well")
      }
      report.run(set.name, set.tests, policy, now: now)
    }
    return report
  }
}
