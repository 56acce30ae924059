internal import AccessPolicy
internal import AuditLog

extension ExplanationReport {
  /// One JSON document; members that are not known are null.
  package func json() throws -> String { try JSONReport.text(tree) }

  private var tree: JSONTree {
    let decision = explanation?.decision
    let isOpen = outcome == .undecidable
    var members: [String: JSONTree] = [
      "verdict": .text(outcome.rawValue),
      "reason": .text(isOpen ? nil : reason),
      "detail": .text(decision?.detail),
      "caller": .text(undecided?.isCallerOpen == true ? nil : decision?.caller?.name),
      "groups": .texts(decision?.caller?.groups ?? []),
      "rule": .text(isOpen ? nil : decision?.rule),
      "ruleset": .text(isOpen ? nil : decision?.ruleset),
      "matched": .texts(decision?.matched ?? []),
      "shadow": .object([
        // What is refused in the handshake is refused whatever the policies say.
        "verdict": .text(decision?.shadow.verdict.rawValue ?? Verdict.deny.rawValue),
        "rule": .text(decision?.shadow.rule),
      ]),
      "verification": verificationTree,
      "host": .text(host),
      "at": .text(at.rfc3339),
      "facts": .object(
        Dictionary(
          facts.fields.map { ($0.name, facts[$0]?.json ?? .null) }, uniquingKeysWith: { first, _ in first })),
      "unknown_fields": .texts(unknownFields.map(\.name)),
      "callers": .array((explanation?.entries ?? []).map(tree)),
      "rules": .array((explanation?.rules ?? []).map(tree)),
    ]
    if let recorded { members.merge(tree(recorded)) { _, new in new } }
    return .object(members)
  }

  private var verificationTree: JSONTree {
    .object([
      "ok": .flag(verification.refusal == nil), "error": .text(verification.error),
      "message": .text(verification.message), "depth": .integer(verification.depth),
      "subject": .text(verification.subject),
    ])
  }

  private func tree(_ entry: Explanation.Entry) -> JSONTree {
    let (outcome, caller, ground): (String, [String], Explanation.Ground?) =
      switch entry.outcome {
      case .matched(let caller): ("matched", [caller], nil)
      case .ambiguous(let names): ("ambiguous", names, nil)
      case .failed(let ground): ("failed", [], ground)
      case .patternLimit(let ground): ("pattern_limit", [], ground)
      case .notReached: ("not_reached", [], nil)
      }
    return .object(
      [
        "name": .text(entry.name), "outcome": .text(outcome), "callers": .texts(caller),
        "failed": ground?.json ?? .null,
      ].merging(JSONTree.place(entry.location)) { first, _ in first })
  }

  private func tree(_ rule: Explanation.Rule) -> JSONTree {
    let isOpen = undecided?.rules.contains(rule.name) == true
    let (outcome, ground): (String, Explanation.Ground?) =
      switch rule.outcome {
      case .matched: ("matched", nil)
      case .failed(let ground): ("failed", ground)
      case .patternLimit(let ground): ("pattern_limit", ground)
      }
    return .object(
      [
        "name": .text(rule.name), "action": .text(rule.action.rawValue), "mode": .text(rule.mode.rawValue),
        "matched": isOpen ? .null : .flag(rule.outcome == .matched),
        "outcome": .text(isOpen ? "undecidable" : outcome), "failed": ground?.json ?? .null,
      ].merging(JSONTree.place(rule.location)) { first, _ in first })
  }

  private func tree(_ recorded: RecordedConnection) -> [String: JSONTree] {
    let decision = recorded.decision
    return [
      "recorded": .object([
        "id": .text(recorded.eventID), "connection": .text(recorded.connectionID),
        "time": .text(recorded.time.rfc3339),
        "verdict": .text(decision?.verdict.rawValue ?? Verdict.deny.rawValue),
        "reason": .text(decision?.reason.rawValue ?? recorded.verification.refusal?.rawValue),
        "caller": .text(decision?.caller?.name), "rule": .text(decision?.rule),
        "matched": .texts(decision?.matched ?? []),
        "shadow": .object([
          "verdict": .text(decision?.shadow.verdict.rawValue), "rule": .text(decision?.shadow.rule),
        ]),
      ]),
      "differences": .array(
        differences.map {
          .object(["what": .text($0.what), "recorded": .text($0.recorded), "now": .text($0.now)])
        }),
      "cut_fields": .texts(undecided?.fields.map(\.name) ?? []),
    ]
  }

  /// Where the present policies say otherwise than the log; nothing is said of what cannot be told.
  package var differences: [RecordedConnection.Difference] {
    outcome == .undecidable ? [] : recorded?.differences(from: explanation) ?? []
  }
}
