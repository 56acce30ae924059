/// When the passing of time alone may change what a policy says.
struct PolicyCalendar: Sendable {
  /// The ends of rules, in order, each once.
  private let expiries: [Timestamp]
  private let windows: [CompiledWindow]
  /// Seconds left at which a condition on `valid_for` begins or stops to hold.
  private let secondsLeft: [Int64]

  init(_ entries: [CompiledCaller], _ rules: [CompiledRule]) {
    var windows: Set<CompiledWindow> = []
    var secondsLeft: Set<Int64> = []
    for condition in [entries.map(\.conditions), rules.map(\.when), rules.map(\.unless)].joined().joined() {
      for alternative in condition.alternatives {
        switch alternative {
        case .window(let window): windows.insert(window)
        case .secondsLeft(let range):
          secondsLeft.formUnion([range.lowerBound, range.upperBound].filter { $0 != .min && $0 != .max })
        default: break
        }
      }
    }
    expiries = Set(rules.compactMap(\.expires)).sorted()
    self.windows = Array(windows)
    self.secondsLeft = Array(secondsLeft)
  }

  /// - Parameter end: the certificate's notAfter, where it is known.
  /// - Returns: a moment behind `instant`, not later than the next change; nil where nothing will change.
  func nextChange(after instant: Timestamp, end: Timestamp?) -> Timestamp? {
    var moments = windows.map { $0.nextBoundary(after: instant) }
    if let expiry = firstExpiry(after: instant) { moments.append(expiry) }
    if let end {
      // Time left is counted in whole seconds, so it passes a border when it has become a second less, too.
      for left in secondsLeft {
        for border in [left, left &- 1] {
          let (seconds, overflow) = end.seconds.subtractingReportingOverflow(border)
          if !overflow { moments.append(Timestamp(seconds: seconds)) }
        }
      }
    }
    return moments.filter { $0 > instant }.min()
  }

  private func firstExpiry(after instant: Timestamp) -> Timestamp? {
    var (low, high) = (0, expiries.count)
    while low < high {
      let middle = low + (high - low) / 2
      if expiries[middle] > instant { high = middle } else { low = middle + 1 }
    }
    return low < expiries.count ? expiries[low] : nil
  }
}

extension Policy {
  /// When a connection has to be judged again because of the time alone: the next end of a rule, the next
  /// boundary of a time window, or the next border of `valid_for`. Never later than the next change of the
  /// verdict, perhaps earlier; ask again then. `not_after` itself is not among them.
  /// - Returns: nil where time changes nothing.
  package func nextChange(for facts: Facts, after instant: Timestamp) -> Timestamp? {
    var end: Timestamp?
    if case .instant(let notAfter)? = facts[.notAfter] { end = notAfter }
    return calendar.nextChange(after: instant, end: end)
  }
}
