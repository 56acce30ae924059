import AccessPolicy
import ArgumentParser
import ControlPlane
import Workbench

/// Standard output, whose reader may leave at any time (`| head`).
enum Output {
  /// - Throws: the end of the command, without a word, where nobody reads any more.
  static func write(_ text: String) throws {
    guard Console.output(text) else { throw ExitCode(0) }
  }
}

extension CannotGoOn {
  /// As ``because(_:)``; programs find it on standard output, with what was found before.
  static func because(_ message: String, asJSON: Bool, findings: [Diagnostic] = []) throws -> ExitCode {
    guard asJSON else { return because(message) }
    // The exit code stays, whether somebody still reads or not.
    _ = Console.output(try JSONReport.failure(message, findings: findings))
    return ExitCode(2)
  }
}

extension FindingsReport {
  /// `{"findings": […]}` with a line feed at the end.
  func json() throws -> String {
    try JSONReport.text(JSONTree.object(["findings": .findings(findings)]))
  }
}
