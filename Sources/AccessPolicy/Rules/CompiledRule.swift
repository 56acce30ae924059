/// A rule, ready to be asked.
struct CompiledRule: Sendable {
  let name: String
  let location: SourceLocation
  let action: RuleEntry.Action
  let mode: RuleEntry.Mode
  let expires: Timestamp?
  /// Names, globs and `group:NAME` as written; nil for everyone.
  let callers: [String]?
  /// Names and globs as written; nil for all.
  let listeners: [String]?
  let when: [CompiledCondition]
  let unless: [CompiledCondition]

  /// The file that it stands in.
  var ruleset: String { location.file }

  /// What a rule says of a connection whose caller and listener it is about.
  enum Outcome: Equatable {
    case applies
    case expired
    /// The condition of `when` at this position is the first that fails.
    case fails(Int)
    /// `unless` holds.
    case excepted
    /// Of the condition at this position, counted through `when` and then `unless`, nobody knows, and the
    /// others do not settle it.
    case limitExceeded(Int)
  }

  /// Asks every condition as far as it matters. What is settled is settled: where a condition fails, it does
  /// not matter that nobody knows of another one.
  func evaluate(_ situation: Situation, capture: (String) -> String?) -> Outcome {
    // From its moment on a rule is as if it were not there.
    if let expires, expires <= situation.at { return .expired }
    var unknown: Int?
    for (position, condition) in when.enumerated() {
      switch condition.evaluate(situation, capture: capture) {
      case .holds: break
      case .fails: return .fails(position)
      case .limitExceeded: unknown = unknown ?? position
      }
    }
    var excepts = !unless.isEmpty
    var unknownException: Int?
    for (position, condition) in unless.enumerated() where excepts {
      switch condition.evaluate(situation, capture: capture) {
      case .holds: break
      case .fails: excepts = false
      case .limitExceeded: unknownException = unknownException ?? (when.count + position)
      }
    }
    if excepts, unknownException == nil { return .excepted }
    if let position = unknown ?? (excepts ? unknownException : nil) { return .limitExceeded(position) }
    return .applies
  }
}
