/// What the check of a log's chain found, line by line. Feed it the lines of the files in their order.
package struct ChainVerification: Sendable {
  package enum Problem: Hashable, Sendable {
    /// The line is no sealed record, and what follows does not tell of a torn one.
    case unreadable
    /// The line's bytes are not those that were sealed.
    case changed
    /// The line does not follow the one before it: lines are missing, inserted or in another order.
    case displaced(expected: UInt64, found: UInt64)
  }

  package struct Finding: Hashable, Sendable {
    /// Counted from 1 over all lines that were fed.
    package var line: Int
    package var problem: Problem
  }

  /// The first line that is not as it was written; nil while all are.
  package private(set) var finding: Finding?
  /// Lines that a kill or a full disk cut off, as the record behind them says: no tampering.
  package private(set) var tornLines: [Int] = []
  /// Lines at which a new chain begins.
  package private(set) var chainStarts: [Int] = []
  /// Sealed records that are as they were written.
  package private(set) var records: UInt64 = 0
  /// The number of records that `audit-gap` lines tell were lost.
  package private(set) var lost: UInt64 = 0
  /// Behind the last good record.
  package private(set) var position: RecordChain.Position?

  private var line = 0
  /// A chain may begin with a file; within one it goes on.
  private var isFileStart = true
  /// Lines that may be torn ones: the next record decides. Probes of a full disk can leave several.
  private var suspects: [Int] = []
  private let digest: Digest

  /// - Parameter digest: the one that sealed: SHA-256, or HMAC-SHA-256 with the key.
  package init(digest: @escaping Digest) { self.digest = digest }

  /// - Parameter bytes: a line without its end.
  package mutating func feed(_ bytes: ArraySlice<UInt8>) {
    line += 1
    guard finding == nil else { return }
    guard let member = IntegrityMember(bytes) else {
      suspects.append(line)
      return
    }
    if let suspect = suspects.first {
      guard LineScan.isGap(bytes), LineScan.has("\"torn_line\":true", in: bytes) else {
        return found(.unreadable, at: suspect)
      }
      tornLines += suspects
      suspects = []
    }
    guard Hex.text(digest(member.message(bytes))) == member.fingerprint else {
      return found(.changed, at: line)
    }
    guard follows(member) else { return }
    position = RecordChain.Position(
      uid: member.uid, sequence: member.sequence, previous: member.fingerprint)
    records += 1
    if LineScan.isGap(bytes) { lost &+= LineScan.number("lost", in: bytes) ?? 0 }
  }

  /// Call it behind the last line of each file.
  ///
  /// - Parameter torn: the last line that was fed had no end of line.
  package mutating func finish(torn: Bool) {
    isFileStart = true
    guard finding == nil, let suspect = suspects.first else { return }
    // Only the very last line can be one that nothing tells of.
    if torn, suspects.count == 1 { tornLines.append(suspect) } else { found(.unreadable, at: suspect) }
    suspects = []
  }

  private mutating func follows(_ member: IntegrityMember) -> Bool {
    let begins = member.sequence == 1 && member.previous == RecordChain.noFingerprint
    if isFileStart, begins || position == nil {
      // Without the file before it, a rotated file's first line is taken at its word.
      isFileStart = false
      chainStarts.append(line)
      return true
    }
    isFileStart = false
    let expected = (position?.sequence ?? 0) &+ 1
    guard let position, member.uid == position.uid, member.sequence == expected,
      member.previous == position.previous
    else {
      found(.displaced(expected: expected, found: member.sequence), at: line)
      return false
    }
    return true
  }

  private mutating func found(_ problem: Problem, at line: Int) {
    finding = Finding(line: line, problem: problem)
  }
}
