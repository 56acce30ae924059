import AccessPolicy

extension InstantText {
  /// Reads an instant in the form that ``append(_:to:)`` writes, with any number of digits of a fraction up to
  /// nine; nil for any other form, of which `Timestamp(rfc3339:)` decides.
  static func read(_ line: Span<UInt8>, _ range: Range<Int>) -> Timestamp? {
    let start = range.lowerBound
    guard range.count >= 20, range.count <= 30, line[range.upperBound - 1] == UInt8(ascii: "Z"),
      line[start + 4] == UInt8(ascii: "-"), line[start + 7] == UInt8(ascii: "-"),
      line[start + 10] == UInt8(ascii: "T"), line[start + 13] == UInt8(ascii: ":"),
      line[start + 16] == UInt8(ascii: ":")
    else { return nil }
    let (year, month) = (number(line, start, 4), number(line, start + 5, 2))
    let (day, hour) = (number(line, start + 8, 2), number(line, start + 11, 2))
    let (minute, second) = (number(line, start + 14, 2), number(line, start + 17, 2))
    guard year >= 0, (1...12).contains(month), day >= 1, (0..<24).contains(hour), (0..<60).contains(minute),
      (0..<60).contains(second), day <= length(month, year)
    else { return nil }
    var fraction: Int64 = 0
    if range.count > 20 {
      let digits = range.count - 21
      guard line[start + 19] == UInt8(ascii: "."), digits > 0 else { return nil }
      let value = number(line, start + 20, digits)
      guard value >= 0 else { return nil }
      fraction = value
      for _ in digits..<9 { fraction *= 10 }
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflow2) = whole.addingReportingOverflow(fraction)
    return overflow || overflow2 ? nil : Timestamp(nanoseconds: sum)
  }

  /// At most nine digits; -1 where there is something else.
  private static func number(_ line: Span<UInt8>, _ start: Int, _ count: Int) -> Int64 {
    var value: Int64 = 0
    for index in start..<(start + count) {
      let digit = line[index] &- 0x30
      guard digit < 10 else { return -1 }
      value = value * 10 + Int64(digit)
    }
    return value
  }

  private static func length(_ month: Int64, _ year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days since 1970-01-01: the inverse of `civil`.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let marchYear = month > 2 ? year : year - 1
    let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
    let yearOfEra = marchYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
