import AccessPolicy

/// Reads `{after: "08:00", before: "18:00", days: [mon-fri], zone: Europe/Madrid}`.
struct TimeWindowReader {
  private static let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

  let findings: Findings

  func read(_ node: YAMLNode) -> TimeWindow? {
    guard let window = CheckedMapping(node, PolicySchema.window, findings) else { return nil }
    let after = window["after"].flatMap { minute($0, last: 24 * 60 - 1) }
    let before = window["before"].flatMap { minute($0, last: 24 * 60) }
    let days = window["days"].map(days)
    let zone = window["zone"].flatMap { findings.text($0, expected: "a time zone such as Europe/Madrid") }
    if window["after"] == nil, window["before"] == nil, window["days"] == nil {
      findings.error(
        at: node.mark, "missing-key",
        "a time window needs one of the keys \"after\", \"before\" and \"days\"")
    }
    guard let zone else { return nil }
    return TimeWindow(after: after, before: before, days: days ?? [], zone: zone.value)
  }

  /// `HH:MM` as minutes since midnight. `24:00` is the end of the day (ISO 8601), and so no beginning.
  private func minute(_ node: YAMLNode, last: Int) -> Int? {
    let expected = last == 24 * 60 ? "a time from 00:00 to 24:00" : "a time from 00:00 to 23:59"
    guard let text = findings.text(node, expected: expected)?.value else { return nil }
    let digits = text.utf8.map { Int($0) - 0x30 }
    let isTime =
      digits.count == 5 && text.utf8.dropFirst(2).first == UInt8(ascii: ":")
      && [0, 1, 3, 4].allSatisfy { (0...9).contains(digits[$0]) }
    guard isTime, digits[3] < 6,
      case let minute = digits[0] * 600 + digits[1] * 60 + digits[3] * 10 + digits[4],
      minute <= last
    else {
      findings.error(at: node.mark, "invalid-value", "found \(Wording.quote(text)), expected \(expected)")
      return nil
    }
    return minute
  }

  /// Days and ranges of days; a range may run over the end of the week.
  private func days(_ node: YAMLNode) -> Set<Int> {
    var result: Set<Int> = []
    for word in findings.texts(node, of: "day such as mon, or a range such as mon-fri") {
      if let days = Self.range(word.value) {
        result.formUnion(days)
      } else {
        findings.error(
          at: word.location, "invalid-value",
          "found \(Wording.quote(word.value)), expected a day such as mon, or a range such as mon-fri",
          hint: "the days are \(Self.days.joined(separator: ", "))")
      }
    }
    return result
  }

  private static func range(_ text: String) -> [Int]? {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false)
      .map { days.firstIndex(of: String($0)) }
    guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1] else {
      return nil
    }
    let length = (last - first + 7) % 7
    return (0...length).map { (first + $0) % 7 + 1 }
  }
}
