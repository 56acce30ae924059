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

  /// Of what is the same for everybody.
  /// - Returns: a moment behind `instant`, not later than the next change; nil where nothing will change.
  func nextChange(after instant: Timestamp) -> Timestamp? {
    var moments = windows.map { $0.nextBoundary(after: instant) }
    if let expiry = firstExpiry(after: instant) { moments.append(expiry) }
    return moments.filter { $0 > instant }.min()
  }

  /// Of the time that a certificate has left.
  /// - Parameter end: its notAfter.
  func nextBorder(after instant: Timestamp, end: Timestamp) -> Timestamp? {
    var next: Timestamp?
    // Time left is counted in whole seconds, so it passes a border when it has become a second less, too.
    for left in secondsLeft {
      for border in [left, left &- 1] {
        let (seconds, overflow) = end.seconds.subtractingReportingOverflow(border)
        let moment = Timestamp(seconds: seconds)
        if !overflow, moment > instant, moment < next ?? .distantFuture { next = moment }
      }
    }
    return next
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
    [nextChange(after: instant), nextBorder(for: facts, after: instant)].compactMap { $0 }.min()
  }

  /// The part of ``nextChange(for:after:)`` that is the same for all connections. It asks for the hours of time zones,
  /// so whoever has many connections asks once.
  package func nextChange(after instant: Timestamp) -> Timestamp? { calendar.nextChange(after: instant) }

  /// The part of ``nextChange(for:after:)`` that hangs on the certificate.
  package func nextBorder(for facts: Facts, after instant: Timestamp) -> Timestamp? {
    guard case .instant(let end)? = facts[.notAfter] else { return nil }
    return calendar.nextBorder(after: instant, end: end)
  }
}
