internal import AuditLog

extension ChainCheck {
  /// For people; every line ends with a line feed.
  package var text: String {
    var lines: [String] = files.map { file in
      let copy = file.isCopy ? ", which an earlier file has as well" : ""
      guard let chain = file.chain, let first = file.first else {
        return "\(file.file): \(file.lines == 0 ? "empty" : "no sealed record")"
      }
      return "\(file.file): records \(first) to \(file.last ?? first) of chain \(chain)\(copy)"
    }
    for place in tornLines {
      lines.append(
        "\(place.file):\(place.line): note: a line was cut off by a kill or a full disk, not tampered with")
    }
    if tornCount > tornLines.count { lines.append("… and \(tornCount - tornLines.count) more such lines") }
    if lost > 0 {
      let records = Plural.count(lost, "record", "records")
      lines.append("note: \(records) could not be written, as the log itself tells")
    }
    for one in cases {
      lines.append("\(one.file)\(one.line.map { ":\($0)" } ?? ""): \(one.problem): \(one.message)")
    }
    for end in ends {
      lines.append("last record \(end.position.sequence), fingerprint \(end.position.previous)")
    }
    lines.append(conclusion)
    return lines.map { TerminalText.safe($0) + "\n" }.joined()
  }

  private var conclusion: String {
    guard cases.isEmpty else {
      let good = Plural.count(records, "good record", "good records")
      return "not as written: \(Plural.count(cases.count, "finding", "findings")), \(good)"
    }
    // Records that were cut off at the end leave no trace, and all of them may have been.
    guard records > 0 else {
      return "nothing to check: there is no record, and --expect-last alone tells whether there was one"
    }
    return "ok: \(Plural.count(records, "record is as it was", "records are as they were")) written"
  }

  /// For programs.
  package func json() throws -> String { try JSONReport.text(Document(self)) }

  private struct Document: Encodable {
    struct Counts: Encodable {
      var files, records, findings, tornLines, lostRecords: Int

      enum CodingKeys: String, CodingKey {
        case files, records, findings
        case tornLines = "torn_lines"
        case lostRecords = "lost_records"
      }
    }

    struct End: Encodable {
      var file: String
      var chain: String
      var sequence: UInt64
      var fingerprint: String
    }

    var counts: Counts
    var files: [File]
    var cases: [Case]
    var torn: [LinePlace]
    var ends: [End]

    init(_ check: ChainCheck) {
      counts = Counts(
        files: check.files.count, records: Int(clamping: check.records), findings: check.cases.count,
        tornLines: check.tornCount, lostRecords: Int(clamping: check.lost))
      files = check.files
      cases = check.cases
      torn = check.tornLines
      ends = check.ends.map {
        End(
          file: $0.file, chain: $0.position.uid, sequence: $0.position.sequence,
          fingerprint: $0.position.previous)
      }
    }
  }
}
