extension Duration {
  /// Reads a duration as files write it: a whole number and `s`, `m`, `h` or `d`; `0` alone is zero.
  package init?(configured text: String) {
    guard text != "0" else {
      self = .zero
      return
    }
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
    guard let last = text.last, let unit = units[last] else { return nil }
    let digits = text.dropLast()
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int64(digits)
    else { return nil }
    let (seconds, overflow) = number.multipliedReportingOverflow(by: unit)
    // A hundred years: beyond it, sums with the clock would leave the range of nanoseconds in 64 bits.
    guard !overflow, seconds <= 36_500 * 86_400 else { return nil }
    self = .seconds(seconds)
  }
}
