package import AccessPolicy

extension ReplayReport {
  /// For people; every line ends with a line feed.
  package var text: String {
    var lines: [String] = []
    for one in cases { lines += Self.lines(one) }
    if overflow > 0 {
      let more = Plural.count(overflow, "more verdict changes", "more verdicts change")
      lines.append("\(more) in ways that are not told apart: there are too many kinds")
    }
    for one in firstUndecidable {
      lines.append(
        "\(one.file):\(one.line): undecidable: the verdict hangs on \(one.fields.joined(separator: ", ")), "
          + "which is too long for the log")
    }
    if undecidable > firstUndecidable.count {
      lines.append("… and \(undecidable - firstUndecidable.count) more that are undecidable")
    }
    lines.append(summary)
    return lines.map { TerminalText.safe($0) + "\n" }.joined()
  }

  /// `1200 verdicts: 3 change, 1197 do not (5 of them by another rule or caller), …`.
  package var summary: String {
    let other = otherRule > 0 ? " (\(otherRule) of them by another rule or caller)" : ""
    let verdicts = [
      Plural.count(changed, "changes", "change"), Plural.count(unchanged, "does not", "do not") + other,
      "\(undecidable) undecidable",
    ]
    return [
      "\(Plural.count(decisions, "verdict", "verdicts")): \(verdicts.joined(separator: ", "))",
      Plural.count(shadowChanged, "shadow verdict changes", "shadow verdicts change"),
      Plural.count(handshakesFailed, "failed handshake has no verdict", "failed handshakes have no verdict"),
      Plural.count(otherRecords, "other record", "other records"),
      Plural.count(unreadable.count, "unreadable line", "unreadable lines"),
    ].joined(separator: "; ")
  }

  private static func lines(_ one: Case) -> [String] {
    let caller =
      one.old.caller == one.new.caller
      ? one.old.caller ?? "(no caller)"
      : "\(one.old.caller ?? "(no caller)") → \(one.new.caller ?? "(no caller)")"
    var lines = ["\(one.count) × \(caller): \(one.old.text) → \(one.new.text)"]
    if let example = one.example {
      let span =
        one.first == one.last ? one.first.rfc3339 : "\(one.first.rfc3339) to \(one.last.rfc3339)"
      lines.append(
        "    \(span); for example \(example.file):\(example.line)"
          + (one.exampleID.map { ", event.id \($0)" } ?? ""))
    }
    return lines
  }

  /// For programs.
  /// - Parameter findings: what was found in the policies.
  package func json(findings: [Diagnostic] = []) throws -> String {
    try JSONReport.text(Document(self, findings))
  }

  private struct Document: Encodable {
    struct Change: Encodable {
      var old: Judgement
      var new: Judgement
      var count: Int
      var first: String
      var last: String
      var file: String?
      var line: Int?
      var eventID: String?

      enum CodingKeys: String, CodingKey {
        case old, new, count, first, last, file, line
        case eventID = "event_id"
      }
    }

    struct Counts: Encodable {
      var verdicts, changed, unchanged, byAnotherRule, undecidable, shadowChanged: Int
      var handshakesFailed, otherRecords, unreadable, notToldApart: Int

      enum CodingKeys: String, CodingKey {
        case verdicts, changed, unchanged, undecidable, unreadable
        case byAnotherRule = "unchanged_by_another_rule"
        case shadowChanged = "shadow_changed"
        case handshakesFailed = "handshakes_failed"
        case otherRecords = "other_records"
        case notToldApart = "changed_and_not_told_apart"
      }
    }

    var counts: Counts
    var cases: [Change]
    var undecidable: [Undecidable]
    var unreadable: [UnreadableLines.Example]
    var findings: JSONTree
    /// Only where there is nothing to compare.
    var error: String?

    init(_ report: ReplayReport, _ findings: [Diagnostic]) {
      counts = Counts(
        verdicts: report.decisions, changed: report.changed, unchanged: report.unchanged,
        byAnotherRule: report.otherRule, undecidable: report.undecidable,
        shadowChanged: report.shadowChanged, handshakesFailed: report.handshakesFailed,
        otherRecords: report.otherRecords, unreadable: report.unreadable.count,
        notToldApart: report.overflow)
      cases = report.cases.map { one in
        Change(
          old: one.old, new: one.new, count: one.count, first: one.first.rfc3339, last: one.last.rfc3339,
          file: one.example?.file, line: one.example?.line, eventID: one.exampleID)
      }
      undecidable = report.firstUndecidable
      unreadable = report.unreadable.first
      self.findings = .findings(findings)
      error = report.shortage
    }
  }
}
