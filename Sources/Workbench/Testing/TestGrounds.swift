internal import AccessPolicy

/// Why a test came out as it did, in a few lines: what decided, and what the test had in mind.
enum TestGrounds {
  /// More rules or entries than these are counted and not shown.
  private static let most = 5

  static func lines(_ test: PolicyTest, _ explanation: Explanation) -> [String] {
    let decision = explanation.decision
    var lines = ["\(decision.verdict.rawValue), \(decision.reason.rawValue): \(why(explanation))"]
    if decision.caller == nil {
      return lines
        + shown(explanation.entries.map { "caller \($0.name) (\($0.location)): \($0.outcome.text)" })
    }
    if let expected = test.rule, let rule = explanation.rules.first(where: { $0.name == expected.value }),
      rule.name != decision.rule
    {
      lines.append(line(rule))
    }
    if let shadow = test.shadow, shadow.value != decision.shadow.verdict {
      lines.append(
        "with the shadow rules enforced: \(decision.shadow.verdict.rawValue)"
          + (decision.shadow.rule.map { " by rule \($0)" } ?? ", \(decision.shadow.reason.rawValue)"))
      let trials = explanation.rules.filter { $0.mode == .shadow && $0.outcome != .matched }
      lines += shown(trials.map(line))
    }
    if decision.reason == .default {
      let allowing = explanation.rules.filter { $0.action == .allow && $0.name != test.rule?.value }
      lines += shown(allowing.map(line))
    }
    return lines
  }

  private static func why(_ explanation: Explanation) -> String {
    let decision = explanation.decision
    guard let name = decision.rule else { return decision.detail ?? decision.reason.sentence }
    let place = explanation.rules.first { $0.name == name }.map { " (\($0.location))" } ?? ""
    return "rule \(name)\(place)" + (decision.caller.map { ", caller \($0.name)" } ?? "")
  }

  private static func line(_ rule: Explanation.Rule) -> String {
    let shadow = rule.mode == .shadow ? " [shadow]" : ""
    return "rule \(rule.name) (\(rule.location))\(shadow): \(rule.outcome.text)"
  }

  private static func shown(_ lines: [String]) -> [String] {
    guard lines.count > most else { return lines }
    return lines.prefix(most) + ["and \(lines.count - most) more"]
  }
}
