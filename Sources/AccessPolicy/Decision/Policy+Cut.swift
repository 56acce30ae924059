import Patterns

extension Policy {
  /// Judges a connection of which some long values are known by their beginnings only.
  /// - Parameters:
  ///   - at: the moment to judge for.
  ///   - cut: the fields with such values; each ends in ``CutValue/mark``.
  /// - Returns: nil where the verdict hangs on what was cut off. Where several rules allow, which of them is
  ///   named may.
  package func decide(_ facts: Facts, at: Timestamp, cut: Set<Field>) -> Decision? {
    guard !cut.isEmpty, facts.unreadableNames.isEmpty else { return decide(facts, at: at) }
    var situation = Situation(facts: facts, at: at)
    situation.cut = cut
    switch callers.map(situation) {
    case .limitExceeded: return nil
    case .unmapped, .ambiguous: return decide(facts, at: at)
    case .caller(let caller):
      var enforced = Possibilities()
      var shadowed = Possibilities()
      for position in index.candidates(caller, situation) {
        let rule = rules[position]
        let outcome = rule.evaluate(situation) { caller.captures[$0] }
        shadowed.count(rule.action, outcome)
        if rule.mode == .enforce { enforced.count(rule.action, outcome) }
      }
      return enforced.isSettled && shadowed.isSettled ? decide(facts, at: at) : nil
    }
  }
}

/// Whether a verdict is the same, whatever the rules say of which nobody knows.
private struct Possibilities {
  private var denies = false
  private var mayDeny = false
  private var allows = false
  private var mayAllow = false

  mutating func count(_ action: RuleEntry.Action, _ outcome: CompiledRule.Outcome) {
    switch (outcome, action) {
    case (_, .log), (.expired, _), (.fails, _), (.excepted, _): break
    case (.limitExceeded, .deny): mayDeny = true
    case (.limitExceeded, .allow): mayAllow = true
    case (.applies, .deny): denies = true
    case (.applies, .allow): allows = true
    }
  }

  var isSettled: Bool { denies || (allows ? !mayDeny : !mayAllow) }
}

/// A value that was too long for the log.
package enum CutValue {
  /// Ends the part that was kept.
  package static let mark = "…"
  /// No value with its mark is longer, in bytes; a value that is not longer is never cut.
  package static let limit = 4096
  /// A value of a list may be written with its type in front (`email:`), and is cut between two characters, so
  /// that this much less may be left of it.
  static let slack = 16
}

extension Situation {
  /// Whether this value of a field may be the beginning of a longer one.
  func isCut(_ text: String, of field: Field) -> Bool {
    !cut.isEmpty && cut.contains(field) && text.utf8.count > CutValue.limit - CutValue.slack
      && text.utf8.suffix(3).elementsEqual(CutValue.mark.utf8)
  }
}

extension Matcher {
  /// Asks about a value of which the beginning alone is known. Patterns of a policy are shorter than what is
  /// kept of a value, so the beginning settles what can be settled.
  func match(cut text: String) -> MatchOutcome {
    let kept = text.utf8.dropLast(CutValue.mark.utf8.count)
    func unlessImpossible(_ prefix: String) -> MatchOutcome {
      kept.starts(with: prefix.utf8.prefix(kept.count)) ? .limitExceeded : .notMatched
    }
    switch self {
    case .literal(let literal):
      return literal.utf8.count > CutValue.limit - CutValue.slack ? unlessImpossible(literal) : .notMatched
    case .prefix(let prefix):
      guard prefix.utf8.count > kept.count else {
        return kept.starts(with: prefix.utf8) ? .matched(Captures()) : .notMatched
      }
      return unlessImpossible(prefix)
    case .capture(let pattern): return unlessImpossible(pattern.template.literalPrefix)
    case .glob(let glob): return unlessImpossible(glob.literalPrefix)
    case .regex, .suffix: return .limitExceeded
    case .template, .block, .integers, .instants, .secondsLeft, .flag, .present, .window: return .notMatched
    }
  }
}
