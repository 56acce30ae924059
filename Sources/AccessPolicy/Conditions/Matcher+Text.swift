import Patterns

extension Matcher {
  /// As it would be written in a policy file, in the form in which it is compared.
  /// - Parameter capture: what the caller's mapping captured; a name without a value stays in its braces.
  func written(_ capture: (String) -> String?) -> String {
    switch self {
    case .literal(let text): text
    case .template(let template): template.filled { capture($0) ?? "{\($0)}" } ?? template.written
    case .capture(let pattern): pattern.template.written
    case .glob(let glob): "{glob: \(glob.text)}"
    case .regex(let regex): "{regex: \(regex.text)}"
    case .prefix(let prefix): "{prefix: \(prefix)}"
    case .suffix(let suffix): "{suffix: \(suffix)}"
    case .block(let block): block.text
    case .integers(let range):
      Self.written(range, least: .min, greatest: .max) { String($0) }
    case .instants(let range):
      Self.written(range, least: Timestamp(nanoseconds: .min), greatest: .distantFuture) { $0.rfc3339 }
    case .secondsLeft(let range):
      Self.written(range, least: .min, greatest: .max) { Self.duration($0) }
    case .flag(let flag): String(flag)
    case .present(let present): "{present: \(present)}"
    case .window(let window): window.window.written
    }
  }

  private static func written<Bound: Comparable>(
    _ range: ClosedRange<Bound>, least: Bound, greatest: Bound, _ text: (Bound) -> String
  ) -> String {
    let (low, high) = (range.lowerBound, range.upperBound)
    if low == high { return text(low) }
    let ends = [low == least ? nil : "min: \(text(low))", high == greatest ? nil : "max: \(text(high))"]
    return "{\(ends.compactMap { $0 }.joined(separator: ", "))}"
  }

  /// In the largest unit that fits without a rest.
  private static func duration(_ seconds: Int64) -> String {
    let units: [(Int64, String)] = [(86400, "d"), (3600, "h"), (60, "m")]
    guard seconds != 0, let (unit, name) = units.first(where: { seconds.isMultiple(of: $0.0) }) else {
      return "\(seconds)s"
    }
    return "\(seconds / unit)\(name)"
  }
}

extension TimeWindow {
  fileprivate var written: String {
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    let chosen = names.indices.filter { days.contains($0 + 1) }.map { names[$0] }
    let parts = [
      after.map { "after: \"\(Self.clock($0))\"" }, before.map { "before: \"\(Self.clock($0))\"" },
      chosen.isEmpty ? nil : "days: [\(chosen.joined(separator: ", "))]", "zone: \(zone)",
    ]
    return "{\(parts.compactMap { $0 }.joined(separator: ", "))}"
  }

  private static func clock(_ minute: Int) -> String {
    let two = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
    return "\(two(minute / 60)):\(two(minute % 60))"
  }
}

extension [String] {
  /// As a list in a policy file, or the one item.
  var asList: String { count == 1 ? self[0] : "[\(joined(separator: ", "))]" }
}
