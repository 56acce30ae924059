package import AccessPolicy
internal import AuditLog
internal import Patterns

/// Which records somebody wants to see: those that meet everything that is asked for.
package struct RecordFilter: Sendable {
  /// Globs.
  package var caller: String?
  package var rule: String?
  package var listener: String?
  package var verdict: Verdict?
  /// Values of `event.action`; empty: every one.
  package var actions: Set<String> = []
  package var since: Timestamp?
  package var until: Timestamp?

  package init() {}

  /// Whether anything is asked for. Otherwise lines that are no records are shown, too.
  package var isEmpty: Bool {
    caller == nil && rule == nil && listener == nil && verdict == nil && actions.isEmpty && since == nil
      && until == nil
  }

  /// - Parameter line: a line without its end.
  package func selects(_ line: ArraySlice<UInt8>) -> Bool {
    if isEmpty { return true }
    guard let record = try? JSONParser.parse(line), let action = record["event", "action"]?.text else {
      return false
    }
    if !actions.isEmpty, !actions.contains(action) { return false }
    if let verdict, record["countersign", "verdict"]?.text != verdict.rawValue { return false }
    guard matches(caller, record["user", "name"]?.text), matches(rule, record["rule", "name"]?.text),
      matches(listener, record["countersign", "listener"]?.text)
    else { return false }
    guard since != nil || until != nil else { return true }
    guard let time = record["@timestamp"]?.text.flatMap({ Timestamp(rfc3339: $0) }) else { return false }
    return (since.map { $0 <= time } ?? true) && (until.map { time <= $0 } ?? true)
  }

  private func matches(_ glob: String?, _ value: String?) -> Bool {
    guard let glob else { return true }
    return value.map { Glob(glob).matches($0) } ?? false
  }
}
