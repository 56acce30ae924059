internal import Glibc

/// A moment of CLOCK_MONOTONIC, which nobody can set: deadlines and durations are made of these only.
package struct MonotonicTime: Comparable, Hashable, Sendable {
  /// Since some moment before the process started.
  package let nanoseconds: Int64

  /// A given moment, for tests and for stored deadlines.
  package init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  /// Later than everything.
  package static let distantFuture = MonotonicTime(nanoseconds: .max)

  /// The present moment (in user space, by the vDSO).
  package static func now() -> MonotonicTime {
    MonotonicTime(nanoseconds: readClock(CLOCK_MONOTONIC))
  }

  package static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  /// The moment after a duration; a sum that does not fit is the end of the range, never a trap: durations
  /// come from files.
  package static func + (left: MonotonicTime, right: Duration) -> MonotonicTime {
    let step = right.clampedNanoseconds
    let (sum, overflow) = left.nanoseconds.addingReportingOverflow(step)
    return MonotonicTime(nanoseconds: overflow ? (step < 0 ? .min : .max) : sum)
  }

  /// How long it is from `right` to `left`.
  package static func - (left: MonotonicTime, right: MonotonicTime) -> Duration {
    let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
    return .nanoseconds(overflow ? (left < right ? .min : .max) : difference)
  }

  /// How long to wait for this moment, as epoll_wait wants it: 0 when it has come, and rounded up, because
  /// a wait that ends too early would spin through the rest of the millisecond.
  package func timeoutMilliseconds(from now: MonotonicTime) -> Int32 {
    guard self > now else { return 0 }
    let (difference, overflow) = nanoseconds.subtractingReportingOverflow(now.nanoseconds)
    let milliseconds = overflow ? Int64.max : difference / 1_000_000 + (difference % 1_000_000 == 0 ? 0 : 1)
    return Int32(clamping: milliseconds)
  }
}

/// CLOCK_REALTIME in nanoseconds since 1970-01-01T00:00:00Z, for timestamps and certificates, never for
/// deadlines: it can be set.
package func wallClockNanoseconds() -> Int64 {
  readClock(CLOCK_REALTIME)
}

/// clock_gettime fails only for an unknown clock or a wild pointer.
private func readClock(_ clock: clockid_t) -> Int64 {
  var time = timespec()
  let answer = unsafe clock_gettime(clock, &time)
  precondition(answer == 0, "clock_gettime refused a clock that every Linux has")
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

extension Duration {
  /// In nanoseconds, rounded towards zero; the end of the range (292 years) where it does not fit.
  fileprivate var clampedNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, tooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflow) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
    return tooLarge || overflow ? (seconds < 0 ? .min : .max) : sum
  }
}
