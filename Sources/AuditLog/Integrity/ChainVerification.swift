/// The check of a log's chain, line by line. Feed it the lines of the files in their order; what it keeps does
/// not grow with the log.
///
/// The first bad line is found by itself. What happened to it is told by what comes behind it: a changed line's
/// successor is still tied to what the line was, an inserted one's to the line before it; of a missing record
/// the rest of the log says whether it stands elsewhere.
package struct ChainVerification: Sendable {
  /// The first line that is not as it was written; nil while all are. Until ``finish(torn:)`` was called for the
  /// last file, what follows may still tell more of it.
  package private(set) var finding: ChainFinding?
  /// Lines that a kill or a full disk cut off, as the record behind them says: no tampering. The first ones.
  package private(set) var tornLines: [Int] = []
  package private(set) var tornCount = 0
  /// Lines at which a new chain begins.
  package private(set) var chainStarts: [Int] = []
  /// Sealed records that are as they were written.
  package private(set) var records: UInt64 = 0
  /// The number of records that `audit-gap` lines tell were lost.
  package private(set) var lost: UInt64 = 0
  /// Behind the last good record.
  package private(set) var position: RecordChain.Position?

  private static let toldLimit = 100

  private var line = 0
  /// A chain may begin with a file; within one it goes on.
  private var isFileStart = true
  /// Lines that may be torn ones: the next record decides. Probes of a full disk can leave several.
  private var suspects: (first: Int, count: Int)?
  /// How the finding may still be told more exactly.
  private var open: OpenQuestion?
  private let digest: Digest

  private enum OpenQuestion: Sendable {
    /// A line does not fit: the next sealed one says whether it is in the place of a record or beside them.
    case successor
    /// Records are missing: the first of them may stand further on.
    case missing(UInt64, previous: String, uid: String)
  }

  /// - Parameter digest: the one that sealed: SHA-256, or HMAC-SHA-256 with the key.
  package init(digest: @escaping Digest) { self.digest = digest }

  /// - Parameter bytes: a line without its end.
  package mutating func feed(_ bytes: ArraySlice<UInt8>) {
    line += 1
    let member = IntegrityMember(bytes)
    guard finding == nil else {
      if let member { settle(member) }
      return
    }
    guard let member else {
      suspects = (suspects?.first ?? line, (suspects?.count ?? 0) + 1)
      return
    }
    let isGap = LineScan.isGap(bytes)
    if let suspects {
      guard isGap, LineScan.has("\"torn_line\":true", in: bytes) else {
        return unreadable(suspects, before: member)
      }
      tear(suspects)
      self.suspects = nil
    }
    let isIntact = Hex.text(digest(member.message(bytes))) == member.fingerprint
    guard isIntact, follows(member) else { return misfit(member, isIntact: isIntact) }
    position = RecordChain.Position(
      uid: member.uid, sequence: member.sequence, previous: member.fingerprint)
    records += 1
    if isGap { lost &+= LineScan.number("lost", in: bytes) ?? 0 }
  }

  /// A line that is longer than any record.
  package mutating func feedOversized() {
    line += 1
    if finding == nil { suspects = (suspects?.first ?? line, (suspects?.count ?? 0) + 1) }
  }

  /// Call it behind the last line of each file.
  ///
  /// - Parameter torn: the last line that was fed had no end of line.
  package mutating func finish(torn: Bool) {
    isFileStart = true
    guard finding == nil, let suspects else { return }
    // Only the very last line can be one that nothing tells of.
    if torn, suspects.count == 1 {
      tear(suspects)
    } else {
      found(position == nil ? .unsealed : .unreadable, at: suspects.first)
    }
    self.suspects = nil
  }

  private mutating func tear(_ lines: (first: Int, count: Int)) {
    tornCount += lines.count
    let room = max(0, Self.toldLimit - tornLines.count)
    tornLines += (lines.first..<(lines.first + min(lines.count, room)))
  }

  /// Whether a record may stand here. Where a file begins a chain may, and its number is kept.
  private mutating func follows(_ member: IntegrityMember) -> Bool {
    let begins = member.sequence == 1 && member.previous == RecordChain.noFingerprint
    if isFileStart, begins || position == nil {
      // Without the file before it, a rotated file's first line is taken at its word.
      isFileStart = false
      chainStarts.append(line)
      return true
    }
    isFileStart = false
    guard let position else { return false }
    return Self.follows(member, position)
  }

  private static func follows(_ member: IntegrityMember, _ position: RecordChain.Position) -> Bool {
    member.uid == position.uid && member.sequence == position.sequence &+ 1
      && member.previous == position.previous
  }

  // MARK: What happened

  private mutating func found(_ problem: ChainProblem, at line: Int) {
    finding = ChainFinding(line: line, problem: problem)
  }

  /// Lines that are no records, and this one behind them.
  private mutating func unreadable(_ lines: (first: Int, count: Int), before member: IntegrityMember) {
    suspects = nil
    guard let position else {
      // Nothing stands before them that this one could be tied to. Before a chain's first record there may be
      // what was written without integrity; before a later one they may be records of the chain.
      let begins = member.previous == RecordChain.noFingerprint
      return found(begins ? .unsealedStart(lines.count) : .unreadable, at: lines.first)
    }
    if Self.follows(member, position) { return found(.inserted, at: lines.first) }
    let isNext = member.uid == position.uid && member.sequence == position.sequence &+ 2
    found(isNext ? .changed : .unreadable, at: lines.first)
  }

  /// A sealed line that does not fit.
  private mutating func misfit(_ member: IntegrityMember, isIntact: Bool) {
    guard isIntact else {
      open = .successor
      return found(.changed, at: line)
    }
    guard let position, member.uid == position.uid else {
      open = .successor
      return found(.otherChain, at: line)
    }
    let expected = position.sequence &+ 1
    if member.sequence > expected {
      open = .missing(expected, previous: position.previous, uid: position.uid)
      found(.removed(expected...(member.sequence - 1)), at: line)
    } else if member.sequence < expected {
      found(.repeated(member.sequence), at: line)
    } else {
      open = .successor
      found(.replaced, at: line)
    }
  }

  /// A sealed line behind the finding. Whether it is intact itself does not matter: it is asked what it is tied to.
  private mutating func settle(_ next: IntegrityMember) {
    guard let finding, let open else { return }
    switch open {
    case .missing(let sequence, let previous, let uid):
      guard next.uid == uid, next.sequence == sequence, next.previous == previous else { return }
      found(.reordered(sequence, line: line), at: finding.line)
    case .successor:
      // The next line is tied to the one before the finding: nothing is missing, something is too much.
      if let position, Self.follows(next, position) { found(.inserted, at: finding.line) }
    }
    self.open = nil
  }
}
