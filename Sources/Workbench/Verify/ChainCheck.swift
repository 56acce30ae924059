internal import AccessPolicy
package import AuditLog

/// Verifies the chains of log files. Tell it the files in the order of ``LogExtent/runs(_:)`` with their lines;
/// what it keeps does not grow with them.
package struct ChainCheck {
  package struct Case: Sendable, Encodable {
    package var file: String
    package var line: Int?
    package var problem: String
    package var message: String
  }

  /// What stood in one file.
  package struct File: Sendable, Encodable {
    package var file: String
    package var lines = 0
    package var chain: String?
    package var first: UInt64?
    package var last: UInt64?
    /// It holds records that an earlier file of the report holds as well.
    package var isCopy = false

    enum CodingKeys: String, CodingKey {
      case file, lines, chain, first, last
      case isCopy = "is_copy"
    }
  }

  package private(set) var files: [File] = []
  package private(set) var cases: [Case] = []
  package private(set) var records: UInt64 = 0
  package private(set) var tornLines: [LinePlace] = []
  package private(set) var tornCount = 0
  package private(set) var lost: UInt64 = 0
  /// Where each chain ends, with its file: to be compared by somebody who keeps it elsewhere.
  package private(set) var ends: [(file: String, position: RecordChain.Position)] = []

  private let digest: Digest
  private let expected: String?
  private var hasExpected = false
  private var verification: ChainVerification
  /// The lines at which the files of the run begin, less one.
  private var starts: [(file: String, before: Int)] = []
  private var lines = 0
  private var extents: [String: [LogExtent]] = [:]

  /// - Parameters:
  ///   - expected: a fingerprint that the logs must hold, in lowercase hex.
  package init(digest: @escaping Digest, expected: String? = nil) {
    self.digest = digest
    self.expected = expected
    verification = ChainVerification(digest: digest)
  }

  package mutating func beginRun() {
    verification = ChainVerification(digest: digest)
    starts = []
    lines = 0
  }

  package mutating func begin(_ extent: LogExtent) {
    starts.append((extent.file, lines))
    var file = File(file: extent.file)
    if let first = extent.first {
      file.chain = first.uid
      file.first = first.sequence
      file.last = extent.last?.sequence
      let others = extents[first.uid, default: []]
      file.isCopy = others.contains { $0.span.overlaps(extent.span) }
      if let other = others.first(where: { $0.contradicts(extent) }) {
        cases.append(
          Case(
            file: extent.file, line: nil, problem: "forked",
            message: "it holds other records than \(other.file) under the same numbers: one was written anew")
        )
      }
      extents[first.uid, default: []].append(extent)
    }
    files.append(file)
  }

  package mutating func feed(_ line: ArraySlice<UInt8>) {
    count()
    if let expected, !hasExpected, IntegrityMember(line)?.fingerprint == expected { hasExpected = true }
    verification.feed(line)
  }

  package mutating func feedOversized() {
    count()
    verification.feedOversized()
  }

  private mutating func count() {
    lines += 1
    files[files.count - 1].lines += 1
  }

  /// - Parameter torn: the file's last line has no end.
  package mutating func end(torn: Bool) { verification.finish(torn: torn) }

  package mutating func endRun() {
    records += verification.records
    lost += verification.lost
    tornCount += verification.tornCount
    tornLines += verification.tornLines.map(place)
    if let finding = verification.finding {
      let place = place(finding.line)
      cases.append(
        Case(
          file: place.file, line: place.line, problem: finding.problem.name, message: message(finding)))
    }
    if let position = verification.position, let file = starts.last?.file { ends.append((file, position)) }
  }

  /// What can be said when all runs are over.
  package mutating func finish() {
    guard let expected, !hasExpected else { return }
    let last = ends.map { "\($0.file) ends with record \($0.position.sequence), \($0.position.previous)" }
    cases.append(
      Case(
        file: files.last?.file ?? "", line: nil, problem: "truncated",
        message: "no record has the fingerprint \(expected): lines are missing at the end"
          + (last.isEmpty ? "" : "; " + last.joined(separator: "; "))))
  }

  private func place(_ line: Int) -> LinePlace {
    let start = starts.last { $0.before < line }
    return LinePlace(file: start?.file ?? "", line: line - (start?.before ?? 0))
  }

  private func message(_ finding: ChainFinding) -> String {
    switch finding.problem {
    case .changed:
      finding.line == 1 && verification.records == 0
        ? "the first line is not as it was sealed: it was changed, or another key sealed it (--key)"
        : "the line is not as it was sealed: it was changed"
    case .inserted: "the line was inserted: the next record follows the one before it"
    case .repeated(let number):
      "record \(number) stands here again: a copy of a line, or lines from elsewhere, were inserted"
    case .removed(let numbers):
      numbers.count == 1
        ? "record \(numbers.lowerBound) is missing before this line: it was removed, or a file is missing"
        : "records \(numbers.lowerBound) to \(numbers.upperBound) are missing before this line: they were "
          + "removed, or a file is missing"
    case .reordered(let number, let line):
      "record \(number) is missing before this line, and stands at \(place(line).file):\(place(line).line): "
        + "lines were reordered"
    case .replaced:
      "the line is sealed, but not tied to the line before it: one of the two was written anew"
    case .otherChain: "the line belongs to another chain, and chains begin with a file"
    case .unsealedStart(let count):
      Plural.count(count, "line before the chain is", "lines before the chain are") + " not sealed"
    case .unsealed: "no line is sealed: was it written with integrity: false, or is it no audit log?"
    case .unreadable:
      "the line is no sealed record: it was changed, inserted, or cut off without an audit-gap that tells of it"
    }
  }
}
