import ControlPlane
import Workbench

/// Reading the audit logs of a command line.
enum AuditInput {
  /// Why a log cannot be used.
  struct Problem: Error { var message: String }

  /// Opens every file first: a name that is wrong shows at once, not after an hour.
  static func read(_ paths: [String], into consumer: inout some LogConsumer) throws(Problem) {
    do throws(ReadingError) {
      for path in paths where path != "-" { _ = try LineReader(path) }
    } catch {
      throw Problem(message: "\(error)")
    }
    for path in paths where !consumer.isOverfull { try read(path, into: &consumer) }
  }

  private static func read(_ path: String, into consumer: inout some LogConsumer) throws(Problem) {
    let before = consumer.records
    var number = 0
    do throws(ReadingError) {
      var reader = try LineReader(path)
      try reader.forEachLine { line in
        number += 1
        let place = LinePlace(file: path, line: number)
        switch line {
        case .whole(let bytes, _): consumer.feed(bytes, at: place)
        case .oversized: consumer.feedOversized(at: place)
        }
        return !consumer.isOverfull
      }
    } catch {
      throw Problem(message: "\(error)")
    }
    // A shell that expands the glob of --policies leaves its second file among the logs: to pass over it would
    // be an answer from a part of the policies.
    guard number == 0 || consumer.records > before else {
      let name = path == "-" ? "standard input" : path
      throw Problem(
        message:
          "\(TerminalText.safe(name)) holds no record: is it a policy file? quote the glob, or repeat --policies"
      )
    }
  }
}
