/// What a verified certificate was mapped to.
package struct Caller: Hashable, Sendable {
  package var name: String
  package var groups: [String]
  /// What the mapping captured, by capture name, for rules that tie a fact to the caller.
  package var captures: [String: String]

  package init(name: String, groups: [String] = [], captures: [String: String] = [:]) {
    self.name = name
    self.groups = groups
    self.captures = captures
  }
}

package enum Verdict: String, Sendable, Hashable, CaseIterable { case allow, deny }

/// The judgement of one connection: a value, complete enough to be explained and recorded.
package struct Decision: Hashable, Sendable {
  /// The verdict that would hold with every shadow rule enforced.
  package struct Shadow: Hashable, Sendable {
    package var verdict: Verdict
    package var reason: VerdictReason
    package var rule: String?

    package init(verdict: Verdict, reason: VerdictReason, rule: String?) {
      self.verdict = verdict
      self.reason = reason
      self.rule = rule
    }
  }

  package var verdict: Verdict
  package var reason: VerdictReason
  /// The rule that decided; nil unless the reason is `rule` or `pattern_limit`.
  package var rule: String?
  /// The file that the deciding rule stands in.
  package var ruleset: String?
  package var caller: Caller?
  /// Every rule that matched, `log` and `shadow` ones too, in the order of their names.
  package var matched: [String]
  package var shadow: Shadow
  /// A sentence for people: which callers were ambiguous, which name is unreadable, …
  package var detail: String?

  package init(
    verdict: Verdict, reason: VerdictReason, rule: String? = nil, ruleset: String? = nil,
    caller: Caller? = nil, matched: [String] = [], shadow: Shadow? = nil, detail: String? = nil
  ) {
    self.verdict = verdict
    self.reason = reason
    self.rule = rule
    self.ruleset = ruleset
    self.caller = caller
    self.matched = matched
    self.shadow = shadow ?? Shadow(verdict: verdict, reason: reason, rule: rule)
    self.detail = detail
  }
}
