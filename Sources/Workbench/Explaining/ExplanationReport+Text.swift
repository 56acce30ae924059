internal import AccessPolicy
internal import AuditLog

extension ExplanationReport {
  /// For people: the verdict and why first, then each step that led there.
  package var text: String {
    let parts = [[headline] + summary, callerLines, ruleLines, factLines, recordedLines]
    return parts.filter { !$0.isEmpty }.map { $0.map(AuditText.printable).joined(separator: "\n") }
      .joined(separator: "\n\n") + "\n"
  }

  private var headline: String {
    switch outcome {
    case .undecidable:
      let fields = undecided?.fields.map(\.name).joined(separator: ", ") ?? ""
      return "UNDECIDABLE: the log has cut the value of \(fields), on which the verdict depends"
    case .allow: return "ALLOW: \(decider)"
    case .deny: return "DENY: \(decider)"
    }
  }

  private var decider: String {
    guard let decision = explanation?.decision else {
      let error = [verification.error, verification.message].compactMap { $0 }.joined(separator: ": ")
      return "\(reason): \(error.isEmpty ? "the handshake failed" : error)"
    }
    if let rule = decision.rule {
      return decision.reason == .patternLimit
        ? "pattern_limit: a regex of rule '\(rule)'\(place(ofRule: rule)) met its limits"
        : "rule '\(rule)'\(place(ofRule: rule))"
    }
    return "\(decision.reason.rawValue): \(decision.detail ?? decision.reason.sentence)"
  }

  private func place(ofRule name: String) -> String {
    explanation?.rules.first { $0.name == name }.map { " at \($0.location)" } ?? ""
  }

  private var summary: [String] {
    var lines: [(String, String)] = []
    if let decision = explanation?.decision {
      let groups = decision.caller?.groups ?? []
      let caller = undecided?.isCallerOpen == true ? "undecidable" : decision.caller?.name ?? "none"
      lines.append(("caller", caller + (groups.isEmpty ? "" : " (\(groups.joined(separator: ", ")))")))
      let shadow = decision.shadow
      if shadow.verdict != decision.verdict || shadow.rule != decision.rule {
        lines.append(
          (
            "shadow",
            "with the shadow rules enforced: \(shadow.verdict.rawValue)"
              + (shadow.rule.map { " by rule '\($0)'\(place(ofRule: $0))" } ?? " (\(shadow.reason.rawValue))")
          ))
      }
    }
    if let host { lines.append(("host", host)) }
    lines.append(("chain", chain))
    lines.append(("at", at.rfc3339))
    return lines.map { "  \($0.0.padded(to: 8))  \($0.1)" }
  }

  private var chain: String {
    guard verification.refusal != nil else { return "verified" }
    let which = verification.depth.map {
      $0 == 0 ? "the client's own certificate" : "certificate \($0) above it"
    }
    let parts = [which, verification.subject.map { "subject \($0)" }].compactMap { $0 }
    return "not verified" + (parts.isEmpty ? "" : ": " + parts.joined(separator: ", "))
      + "; no policy was asked"
  }

  private var callerLines: [String] {
    guard let entries = explanation?.entries, !entries.isEmpty else { return [] }
    return ["Callers, the first that matches:"]
      + entries.flatMap { entry in
        let mark = if case .matched = entry.outcome { "+" } else { "-" }
        return ["  \(mark) \(entry.name)  (\(entry.location))", "      \(entry.outcome.text)"]
      }
  }

  private var ruleLines: [String] {
    guard let rules = explanation?.rules, !rules.isEmpty else { return [] }
    return ["Rules:"]
      + rules.flatMap { rule in
        let isOpen = undecided?.rules.contains(rule.name) == true
        let mark = isOpen ? "?" : rule.outcome == .matched ? "+" : "-"
        let shadow = rule.mode == .shadow ? ", shadow" : ""
        return [
          "  \(mark) \(rule.name)  [\(rule.action.rawValue)\(shadow)]  (\(rule.location))",
          "      \(isOpen ? "undecidable: the log has cut a value that it asks for" : rule.outcome.text)",
        ]
      }
  }

  private var factLines: [String] {
    var lines = ["Facts:"]
    let width = facts.fields.map(\.name.count).max() ?? 0
    for field in facts.fields {
      lines.append("  \(field.name.padded(to: width))  \(facts[field]?.texts.joined(separator: ", ") ?? "")")
    }
    lines += facts.unreadableNames.map { "  \($0.place) cannot be read: \($0.problem)" }
    if !unknownFields.isEmpty {
      lines.append(
        "  not known, and asked by the policies: \(unknownFields.map(\.name).joined(separator: ", "))")
    }
    return lines.count == 1 ? [] : lines
  }

  private var recordedLines: [String] {
    guard let recorded else { return [] }
    let id = recorded.eventID ?? recorded.connectionID ?? "?"
    guard recorded.decision != nil else {
      return [
        "Recorded at \(recorded.time.rfc3339) as \(id): the handshake failed, whatever the policies say."
      ]
    }
    if outcome == .undecidable { return ["Recorded at \(recorded.time.rfc3339) as \(id)."] }
    guard !differences.isEmpty else {
      return ["Recorded at \(recorded.time.rfc3339) as \(id): the present policies say the same."]
    }
    return ["Recorded at \(recorded.time.rfc3339) as \(id); the present policies say otherwise:"]
      + differences.map { "  \($0.what): recorded \($0.recorded ?? "none"), now \($0.now ?? "none")" }
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
