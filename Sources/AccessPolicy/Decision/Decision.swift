import Patterns

/// What a verified certificate was mapped to. Its texts are the same byte by byte alone, as in ``FactValue``.
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

  package static func == (one: Caller, other: Caller) -> Bool {
    one.name.isExactly(other.name) && one.groups.isExactly(other.groups)
      && one.captures.count == other.captures.count
      && one.captures.allSatisfy { name, value in other.captures[name]?.isExactly(value) ?? false }
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(ExactText(name)) }
}

package enum Verdict: String, Sendable, Hashable, CaseIterable { case allow, deny }

/// The judgement of one connection: a value, complete enough to be explained and recorded.
///
/// Its parts lie in one piece of memory that copies share: thousands of connections are judged alike, and to hold,
/// hand on and compare what they were told shall cost a pointer.
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

  private struct Parts: Hashable, Sendable {
    var verdict: Verdict
    var reason: VerdictReason
    var rule: String?
    var ruleset: String?
    var caller: Caller?
    var matched: [String]
    var shadow: Shadow
    var detail: String?
  }

  private final class SharedParts: Sendable {
    let parts: Parts

    init(_ parts: Parts) { self.parts = parts }
  }

  private var shared: SharedParts
  private var parts: Parts {
    get { shared.parts }
    set { shared = SharedParts(newValue) }
  }

  package var verdict: Verdict { shared.parts.verdict }
  package var reason: VerdictReason { shared.parts.reason }
  /// The rule that decided; nil unless the reason is `rule` or `pattern_limit`.
  package var rule: String? { shared.parts.rule }
  /// The file that the deciding rule stands in.
  package var ruleset: String? { shared.parts.ruleset }
  package var caller: Caller? {
    get { shared.parts.caller }
    set { parts.caller = newValue }
  }
  /// Every rule that matched, `log` and `shadow` ones too, in the order of their names.
  package var matched: [String] { shared.parts.matched }
  package var shadow: Shadow { shared.parts.shadow }
  /// A sentence for people: which callers were ambiguous, which name is unreadable, …
  package var detail: String? {
    get { shared.parts.detail }
    set { parts.detail = newValue }
  }

  package init(
    verdict: Verdict, reason: VerdictReason, rule: String? = nil, ruleset: String? = nil,
    caller: Caller? = nil, matched: [String] = [], shadow: Shadow? = nil, detail: String? = nil
  ) {
    shared = SharedParts(
      Parts(
        verdict: verdict, reason: reason, rule: rule, ruleset: ruleset, caller: caller, matched: matched,
        shadow: shadow ?? Shadow(verdict: verdict, reason: reason, rule: rule), detail: detail))
  }

  package static func == (one: Decision, other: Decision) -> Bool {
    one.shared === other.shared || one.shared.parts == other.shared.parts
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(shared.parts) }
}

extension Decision: CustomStringConvertible {
  package var description: String { "\(parts)" }
}
