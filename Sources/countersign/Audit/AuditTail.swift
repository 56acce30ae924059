import AccessPolicy
import ArgumentParser
import AuditLog
import ControlPlane
import EventLoop
import Workbench

/// `countersign audit tail`: a log for people.
struct AuditTail: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tail", abstract: "Shows the last records of an audit log, a line each.",
    discussion: """
      With --follow it goes on with what is written, also when the file is rotated, and waits for a file that is \
      not there yet. Callers, rules and listeners are globs: * within a segment, ** across.
      """)

  @Flag(name: [.short, .long], help: "Go on with what is written.")
  var follow = false

  @Option(
    name: [.customShort("n"), .long], help: "How many of the last records that match; all for every one.")
  var lines = "10"

  @Option(name: .long, help: "auto, always or never. NO_COLOR in the environment is heeded by auto.")
  var color: ColorChoice = .auto

  @Option(name: .long, help: "Callers, such as 'worker/*'.")
  var caller: String?

  @Option(name: .long, help: "allow or deny.")
  var verdict: String?

  @Option(name: .long, help: "Rules that decided.")
  var rule: String?

  @Option(name: .long, help: "Listeners.")
  var listener: String?

  @Option(name: .long, help: "Actions, with commas between them, such as connection-denied,handshake-failed.")
  var action: String?

  @Option(name: .long, help: "Not before: an instant as in RFC 3339, or how long ago, such as 15m.")
  var since: String?

  @Option(name: .long, help: "Not after; as --since.")
  var until: String?

  @Argument(help: "The audit log; - is standard input.", completion: .file())
  var file: String

  enum ColorChoice: String, ExpressibleByArgument, CaseIterable { case auto, always, never }

  func validate() throws {
    _ = try limit()
    _ = try filter()
  }

  func run() throws {
    let filter = try filter()
    let isColored = color == .always || color == .auto && Console.hasColor
    let show: (ArraySlice<UInt8>) -> String = { AuditLine.render($0, color: isColored) + "\n" }
    do throws(ReadingError) {
      guard let reader = try begin(filter, show) else { return }
      if follow, file != "-" { try go(on: reader, filter, show) }
    } catch {
      Console.error("\(error)")
      throw ExitCode(2)
    }
  }

  private func limit() throws -> Int {
    if lines == "all" { return .max }
    guard let number = Int(lines), number >= 0 else {
      throw ValidationError("--lines: expected a number or all, found '\(lines)'")
    }
    return number
  }

  private func filter() throws -> RecordFilter {
    var filter = RecordFilter()
    (filter.caller, filter.rule, filter.listener) = (caller, rule, listener)
    if let verdict {
      guard let known = Verdict(rawValue: verdict) else {
        throw ValidationError("--verdict: expected allow or deny, found '\(verdict)'")
      }
      filter.verdict = known
    }
    for name in (action ?? "").split(separator: ",") {
      guard AuditAction(rawValue: String(name)) != nil else {
        throw ValidationError(
          "--action: there is no '\(name)'; actions are: "
            + AuditAction.allCases.map(\.rawValue).joined(separator: ", "))
      }
      filter.actions.insert(String(name))
    }
    filter.since = try since.map { try instant($0, "--since") }
    filter.until = try until.map { try instant($0, "--until") }
    return filter
  }

  private func instant(_ text: String, _ option: String) throws -> Timestamp {
    if let instant = Timestamp(rfc3339: text) { return instant }
    guard let ago = Duration(configured: text) else {
      throw ValidationError(
        "\(option): expected an instant such as 2027-01-31T00:00:00Z or a span such as 15m, found '\(text)'")
    }
    return Timestamp(seconds: wallClockNanoseconds() / 1_000_000_000 - ago.components.seconds)
  }

  // MARK: The records that are there

  /// - Returns: the reader behind the last whole line; nil where the output was closed, or the file is missing
  ///   and nobody waits for it.
  private func begin(
    _ filter: RecordFilter, _ show: (ArraySlice<UInt8>) -> String
  ) throws(ReadingError) -> TailStart? {
    var reader: LineReader
    do {
      reader = try LineReader(file)
    } catch {
      guard follow, error.isMissing else { throw error }
      Console.error("waiting for \(file)")
      return TailStart(reader: nil)
    }
    let wanted = (try? limit()) ?? 10
    var shown = LastLines(wanted)
    var window = max(1 << 16, min(wanted, 1 << 12) * 4096)
    while true {
      let size = reader.size
      let start = wanted == .max ? 0 : max(0, (size ?? 0) - window)
      if size != nil { reader.seek(to: start) }
      // A window begins somewhere within a line.
      var isPartial = start > 0
      shown = LastLines(wanted)
      var isOpen = true
      try reader.forEachLine(flushes: !follow || file == "-") { line in
        defer { isPartial = false }
        guard !isPartial, case .whole(let bytes, _) = line, filter.selects(bytes) else { return true }
        if wanted == .max {
          isOpen = Console.output(show(bytes))
          return isOpen
        }
        shown.add(show(bytes))
        return true
      }
      guard isOpen else { return nil }
      if start == 0 || shown.isFull { break }
      let (larger, overflow) = window.multipliedReportingOverflow(by: 4)
      window = overflow ? .max : larger
    }
    guard Console.output(shown.text) else { return nil }
    return TailStart(reader: reader)
  }

  private struct TailStart: ~Copyable {
    var reader: LineReader?
  }

  /// The last few lines of many.
  private struct LastLines {
    private let limit: Int
    private var lines: [String] = []
    private var next = 0

    init(_ limit: Int) { self.limit = limit }

    var isFull: Bool { lines.count >= limit }

    mutating func add(_ line: String) {
      guard limit > 0 else { return }
      if lines.count < limit {
        lines.append(line)
      } else {
        lines[next] = line
        next = (next + 1) % limit
      }
    }

    var text: String { (lines[next...] + lines[..<next]).joined() }
  }

  // MARK: The records that come

  private func go(
    on start: consuming TailStart, _ filter: RecordFilter, _ show: (ArraySlice<UInt8>) -> String
  ) throws(ReadingError) {
    var follower = LogFollower(file, start.reader)
    var isOpen = true
    while isOpen {
      var text = ""
      let goesOn = try follower.read { line in
        guard case .whole(let bytes, _) = line, filter.selects(bytes) else { return true }
        text += show(bytes)
        if text.utf8.count > 1 << 16 {
          isOpen = Console.output(text)
          text = ""
        }
        return isOpen
      }
      isOpen = goesOn && Console.output(text) && Console.waitForChange(milliseconds: 200)
    }
  }
}
