/// One policy file as it was written: typed, located, not yet compiled.
package struct PolicyDocument: Sendable {
  package var file: String
  package var callers: [CallerEntry]
  package var rules: [RuleEntry]
  package var tests: [PolicyTest]

  package init(
    file: String, callers: [CallerEntry] = [], rules: [RuleEntry] = [], tests: [PolicyTest] = []
  ) {
    self.file = file
    self.callers = callers
    self.rules = rules
    self.tests = tests
  }
}

/// An entry of `callers`: which certificates it matches, and what it calls them.
package struct CallerEntry: Sendable {
  /// A name, perhaps with `{captures}`.
  package var name: Located<String>
  package var groups: [Located<String>]
  package var match: [Condition]

  package init(name: Located<String>, groups: [Located<String>] = [], match: [Condition]) {
    self.name = name
    self.groups = groups
    self.match = match
  }
}

/// An entry of `rules`.
package struct RuleEntry: Sendable {
  package enum Action: String, Sendable, CaseIterable { case allow, deny, log }
  package enum Mode: String, Sendable, CaseIterable { case enforce, shadow }

  package var name: Located<String>
  package var action: Action
  /// Caller names, globs, and `group:NAME`; nil stands for every caller.
  package var callers: [Located<String>]?
  /// Listener names and globs; nil stands for every listener.
  package var listeners: [Located<String>]?
  package var when: [Condition]
  package var unless: [Condition]
  package var mode: Mode
  package var expires: Located<Timestamp>?

  package init(
    name: Located<String>, action: Action, callers: [Located<String>]? = nil,
    listeners: [Located<String>]? = nil, when: [Condition] = [], unless: [Condition] = [],
    mode: Mode = .enforce, expires: Located<Timestamp>? = nil
  ) {
    self.name = name
    self.action = action
    self.callers = callers
    self.listeners = listeners
    self.when = when
    self.unless = unless
    self.mode = mode
    self.expires = expires
  }
}

/// One key of `match`, `when` or `unless`: the field, and values of which one must match.
package struct Condition: Sendable {
  package var field: Field
  package var alternatives: [Located<ValueMatcher>]
  /// Where the key stands.
  package var location: SourceLocation

  package init(field: Field, alternatives: [Located<ValueMatcher>], location: SourceLocation) {
    self.field = field
    self.alternatives = alternatives
    self.location = location
  }
}

/// A value that a condition compares with, in the form that was written.
package enum ValueMatcher: Sendable, Hashable {
  /// A scalar: literal, save for `{captures}`, and CIDR blocks where the field is an address.
  case plain(String)
  case glob(String)
  case regex(String)
  case prefix(String)
  case suffix(String)
  case cidr(String)
  /// `min`, `max` or both, as written: integers, durations or RFC 3339 instants by the field's kind.
  case range(min: String?, max: String?)
  case present(Bool)
  case window(TimeWindow)
}

/// A recurring span of local time: `{after: "08:00", before: "18:00", days: [mon-fri], zone: Europe/Madrid}`.
package struct TimeWindow: Sendable, Hashable {
  /// Minutes since local midnight; the window holds from then on, that minute included.
  package var after: Int?
  /// Minutes since local midnight; the window holds until then, that minute excluded. Where it is not
  /// later than `after`, the window runs over midnight and belongs to the day it began on.
  package var before: Int?
  /// ISO 8601 weekdays, 1 for Monday to 7 for Sunday; empty stands for every day.
  package var days: Set<Int>
  /// A name of the IANA time zone database.
  package var zone: String

  package init(after: Int?, before: Int?, days: Set<Int>, zone: String) {
    self.after = after
    self.before = before
    self.days = days
    self.zone = zone
  }
}

/// An entry of `tests`: facts given, and what the policies are expected to say.
package struct PolicyTest: Sendable {
  package var name: Located<String>
  package var given: Facts
  package var expect: Verdict
  /// When the connection is judged; nil stands for the time of the run.
  package var at: Timestamp?
  package var caller: Located<String>?
  package var rule: Located<String>?
  package var reason: Located<VerdictReason>?
  package var shadow: Located<Verdict>?

  package init(
    name: Located<String>, given: Facts, expect: Verdict, at: Timestamp? = nil,
    caller: Located<String>? = nil, rule: Located<String>? = nil,
    reason: Located<VerdictReason>? = nil, shadow: Located<Verdict>? = nil
  ) {
    self.name = name
    self.given = given
    self.expect = expect
    self.at = at
    self.caller = caller
    self.rule = rule
    self.reason = reason
    self.shadow = shadow
  }
}
