import AuditLog
import FuzzSupport

/// Any line as a record: whatever the scanner says that it knows, the strict parser says as well.
@main
enum FuzzRecord {
  static func main() {
    var scanner = RecordScanner()
    runFuzzer { input in
      let line = Array(input.prefix { $0 != 0x0a })
      let strict = RecordLine.read(line[...])
      let span = line.span
      switch scanner.scan(span) {
      case .unusual: break
      case .other(let action):
        Invariant.hold(
          strict == .other(action), "the scanner found \(String(describing: action)), not \(strict)")
      case .decision:
        guard let decision = scanner.decision(span) else { break }
        Invariant.hold(strict == .decision(decision), "the scanner found \(decision), not \(strict)")
      }
      _ = AuditLine.render(line[...], color: true)
    }
  }
}
