package import AccessPolicy
internal import AuditLog
import Patterns

/// Judges the recorded connections of a log again under other policies. Feed it line by line; what it keeps
/// does not grow with the log.
package struct Replay: LogConsumer {
  /// What one line comes to.
  private struct Finding {
    enum Change { case none, sameVerdict, verdict(Int) }

    var change: Change
    var shadowChanges: Bool
    /// The moments for which this holds: from the one that was judged at to the next at which time alone may
    /// change something.
    var from: Timestamp
    var until: Timestamp

    func holds(at time: Timestamp) -> Bool { from <= time && time < until }
  }

  private let policy: Policy
  private let slots: [UInt8]
  private var scanner = RecordScanner()
  private var cache = JudgementCache<Finding>()
  private var key: [UInt8] = []
  package private(set) var report: ReplayReport

  package var records: Int { report.records }
  package var isOverfull: Bool { false }

  /// - Parameter groupLimit: how many different changes are told apart; the rest is counted together.
  package init(policy: Policy, groupLimit: Int = 100_000) {
    self.policy = policy
    slots = RecordScanner.keySlots(policy.askedFields)
    report = ReplayReport(groupLimit: groupLimit)
  }

  package mutating func feed(_ line: ArraySlice<UInt8>, at place: LinePlace) {
    guard let line = LogText.content(line, isFirst: place.line == 1) else { return }
    let span = line.span
    switch scanner.scan(span) {
    case .decision: judgeScanned(span, line, place)
    case .other(let action): report.countOther(action)
    case .unusual: judgeUnusual(line, place)
    }
  }

  package mutating func feedOversized(at place: LinePlace) {
    report.unreadable.add(place, "longer than any record")
  }

  private mutating func judgeScanned(_ span: Span<UInt8>, _ line: ArraySlice<UInt8>, _ place: LinePlace) {
    key.removeAll(keepingCapacity: true)
    scanner.appendKey(span, slots: slots, to: &key)
    let time = scanner.time
    if let index = cache.find(key) {
      let finding = cache[index]
      if finding.holds(at: time) {
        return count(finding, time, place) { [scanner] in scanner.eventID(line.span) }
      }
      guard let decision = scanner.decision(span) else { return judgeUnusual(line, place) }
      let renewed = judge(decision)
      cache[index] = renewed
      return count(renewed, time, place) { decision.id }
    }
    guard let decision = scanner.decision(span) else { return judgeUnusual(line, place) }
    let finding = judge(decision)
    cache.insert(key, finding)
    count(finding, time, place) { decision.id }
  }

  /// By the strict parser.
  private mutating func judgeUnusual(_ line: ArraySlice<UInt8>, _ place: LinePlace) {
    switch RecordLine.read(line) {
    case .unreadable(let problem): report.unreadable.add(place, problem)
    case .unreadableDecision(let problem): report.unreadable.add(place, problem, isDecision: true)
    case .other(let action): report.countOther(action)
    case .decision(let decision):
      guard
        decision.cutFields.isEmpty
          || policy.decide(decision.facts, at: decision.time, cut: decision.cutFields) != nil
      else { return report.countUndecidable(decision, place) }
      count(judge(decision), decision.time, place) { decision.id }
    }
  }

  private mutating func judge(_ old: RecordedDecision) -> Finding {
    let new = policy.decide(old.facts, at: old.time)
    let change: Finding.Change
    if new.verdict != old.verdict {
      change = .verdict(report.group(ReplayReport.Change(old, new)))
    } else if new.rule != old.rule || new.reason != old.reason
      || !(new.caller?.name).isExactly(old.caller?.name)
    {
      change = .sameVerdict
    } else {
      change = .none
    }
    return Finding(
      change: change, shadowChanges: new.shadow.verdict != old.shadow.verdict, from: old.time,
      until: policy.nextChange(for: old.facts, after: old.time) ?? .distantFuture)
  }

  private mutating func count(
    _ finding: Finding, _ time: Timestamp, _ place: LinePlace, id: () -> String?
  ) {
    report.countDecision(shadowChanges: finding.shadowChanges)
    switch finding.change {
    case .none: report.unchanged += 1
    case .sameVerdict:
      report.unchanged += 1
      report.otherRule += 1
    case .verdict(let group): report.count(group, time, place, id: id)
    }
  }
}
