/// A decision with its grounds: what every caller entry and every rule said, by the code that decides.
package struct Explanation: Sendable {
  /// What was asked, what was expected, and what was there.
  package struct Ground: Hashable, Sendable {
    /// A field; or `callers`, `listeners` or `expires` of a rule; or `match`, where what the fields of an entry
    /// captured contradicts. A field under `unless` is written `unless.source_ip`.
    package var field: String
    /// As it would be written in a policy file.
    package var expected: String
    /// nil where the connection has no such value.
    package var value: String?

    package init(field: String, expected: String, value: String?) {
      self.field = field
      self.expected = expected
      self.value = value
    }
  }

  /// What a caller entry said.
  package enum EntryOutcome: Hashable, Sendable {
    case matched(caller: String)
    /// It matches in several ways that give different callers.
    case ambiguous([String])
    case failed(Ground)
    /// A regular expression met its limits.
    case patternLimit(Ground)
    /// An earlier entry named the caller.
    case notReached
  }

  /// What a rule said.
  package enum RuleOutcome: Hashable, Sendable {
    case matched
    /// The first thing for which it does not apply: caller, listener, end, a condition, an exception.
    case failed(Ground)
    /// A regular expression met its limits.
    case patternLimit(Ground)
  }

  package struct Entry: Sendable {
    /// The entry's name as written.
    package var name: String
    package var location: SourceLocation
    package var outcome: EntryOutcome
  }

  package struct Rule: Sendable {
    package var name: String
    package var location: SourceLocation
    package var action: RuleEntry.Action
    package var mode: RuleEntry.Mode
    package var outcome: RuleOutcome
  }

  package var decision: Decision
  /// In the order in which they name callers; empty where a name is unreadable.
  package var entries: [Entry]
  /// In the order of their names; empty where there is no caller, as then no rule is looked at.
  package var rules: [Rule]
}
