/// An instant, in nanoseconds since 1970-01-01T00:00:00Z; leap seconds are not counted (POSIX time).
///
/// The range is that of a signed 64-bit integer: from the year 1677 to 2262. Instants beyond it, which a
/// certificate may carry (RFC 5280 §4.1.2.5 knows the year 9999), are clamped to the ends.
package struct Timestamp: Hashable, Sendable, Comparable {
  package var nanoseconds: Int64

  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// - Parameter seconds: seconds since the epoch; clamped to what the type can hold.
  package init(seconds: Int64) {
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    self.nanoseconds = overflow ? (seconds < 0 ? .min : .max) : product
  }

  /// Whole seconds since the epoch, rounded towards the past.
  package var seconds: Int64 {
    let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    return remainder < 0 ? quotient - 1 : quotient
  }

  package static let distantFuture = Timestamp(nanoseconds: .max)

  package static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }
}
