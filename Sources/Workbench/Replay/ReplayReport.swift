package import AccessPolicy
internal import AuditLog

/// What a replay found.
package struct ReplayReport: Sendable {
  /// A verdict with what it rests on.
  package struct Judgement: Hashable, Sendable, Encodable {
    package var verdict: String
    package var reason: String
    package var rule: String?
    package var caller: String?

    init(_ verdict: Verdict, _ reason: VerdictReason, _ rule: String?, _ caller: String?) {
      self.verdict = verdict.rawValue
      self.reason = reason.rawValue
      self.rule = rule
      self.caller = caller
    }

    /// `allow (rule orders-reads)`.
    var text: String { "\(verdict) (\(rule.map { "rule \($0)" } ?? reason))" }
  }

  /// A kind of change: connections of one caller that one rule judged, and another judges now.
  struct Change: Hashable, Sendable {
    var old: Judgement
    var new: Judgement

    init(_ old: RecordedDecision, _ new: Decision) {
      self.old = Judgement(old.verdict, old.reason, old.rule, old.caller?.name)
      self.new = Judgement(new.verdict, new.reason, new.rule, new.caller?.name)
    }
  }

  /// The connections of one kind of change.
  package struct Case: Sendable {
    package var old: Judgement
    package var new: Judgement
    package var count = 0
    package var first = Timestamp.distantFuture
    package var last = Timestamp(nanoseconds: .min)
    package var example: LinePlace?
    package var exampleID: String?
  }

  /// Verdicts that hang on a value which is too long for the log.
  package struct Undecidable: Sendable, Encodable {
    package var file: String
    package var line: Int
    package var caller: String?
    package var fields: [String]
  }

  private let groupLimit: Int
  private var groups: [Change: Int] = [:]
  private var all: [Case] = []

  package private(set) var decisions = 0
  package internal(set) var unchanged = 0
  /// Of the unchanged ones: the verdict is the same, but it rests on another rule, reason or caller.
  package internal(set) var otherRule = 0
  package private(set) var shadowChanged = 0
  package private(set) var changed = 0
  package private(set) var undecidable = 0
  package private(set) var firstUndecidable: [Undecidable] = []
  package private(set) var handshakesFailed = 0
  package private(set) var otherRecords = 0
  package internal(set) var unreadable = UnreadableLines()

  /// Also those that this version cannot read.
  var records: Int { decisions + handshakesFailed + otherRecords + unreadable.decisions }

  /// Why there is nothing to compare; nil where there is.
  package var shortage: String? {
    guard decisions == 0 else { return nil }
    let what = "connection-allowed or connection-denied record"
    return "no verdict to compare: the logs hold "
      + (unreadable.decisions == 0
        ? "no \(what)"
        : "\(Plural.count(unreadable.decisions, what, what + "s")), none that this version reads")
  }

  init(groupLimit: Int) { self.groupLimit = groupLimit }

  /// Connections of which the verdict is another one, by kind, the most frequent first.
  package var cases: [Case] {
    groups.values.map { all[$0] }.filter { $0.count > 0 }.sorted { left, right in
      if left.count != right.count { return left.count > right.count }
      if left.first != right.first { return left.first < right.first }
      return (left.example?.file ?? "", left.example?.line ?? 0)
        < (right.example?.file ?? "", right.example?.line ?? 0)
    }
  }

  /// Changes of kinds that are not told apart because there are too many.
  package var overflow: Int { changed - groups.values.reduce(0) { $0 + all[$1].count } }

  /// - Returns: the number of the group, for ``count(_:_:_:id:)``; -1 where there are too many.
  mutating func group(_ change: Change) -> Int {
    if let group = groups[change] { return group }
    guard groups.count < groupLimit else { return -1 }
    groups[change] = all.count
    all.append(Case(old: change.old, new: change.new))
    return all.count - 1
  }

  mutating func count(_ group: Int, _ time: Timestamp, _ place: LinePlace, id: () -> String?) {
    changed += 1
    guard group >= 0 else { return }
    all[group].count += 1
    if time < all[group].first { all[group].first = time }
    if time > all[group].last { all[group].last = time }
    if all[group].example == nil {
      all[group].example = place
      all[group].exampleID = id()
    }
  }

  mutating func countDecision(shadowChanges: Bool) {
    decisions += 1
    if shadowChanges { shadowChanged += 1 }
  }

  mutating func countOther(_ action: AuditAction?) {
    if action == .handshakeFailed { handshakesFailed += 1 } else { otherRecords += 1 }
  }

  mutating func countUndecidable(_ decision: RecordedDecision, _ place: LinePlace) {
    decisions += 1
    undecidable += 1
    guard firstUndecidable.count < UnreadableLines.toldLimit else { return }
    firstUndecidable.append(
      Undecidable(
        file: place.file, line: place.line, caller: decision.caller?.name,
        fields: decision.cutFields.map(\.name).sorted()))
  }
}
