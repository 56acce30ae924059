import AccessPolicy

/// RFC 3339 in UTC, written straight into bytes: a record holds half a dozen instants.
enum InstantText {
  /// Writes `2026-01-31T08:00:00Z`, with a fraction of three, six or nine digits only where it is not zero.
  static func append(_ instant: Timestamp, to bytes: inout [UInt8]) {
    let seconds = instant.seconds
    let fraction = instant.nanoseconds &- seconds &* 1_000_000_000
    let days = seconds >= 0 ? seconds / 86_400 : -((86_399 - seconds) / 86_400)
    let ofDay = seconds - days * 86_400
    let (year, month, day) = civil(days)
    digits(year, 4, &bytes)
    bytes.append(UInt8(ascii: "-"))
    digits(month, 2, &bytes)
    bytes.append(UInt8(ascii: "-"))
    digits(day, 2, &bytes)
    bytes.append(UInt8(ascii: "T"))
    digits(ofDay / 3600, 2, &bytes)
    bytes.append(UInt8(ascii: ":"))
    digits(ofDay / 60 % 60, 2, &bytes)
    bytes.append(UInt8(ascii: ":"))
    digits(ofDay % 60, 2, &bytes)
    if fraction != 0 {
      bytes.append(UInt8(ascii: "."))
      if fraction % 1_000_000 == 0 {
        digits(fraction / 1_000_000, 3, &bytes)
      } else if fraction % 1_000 == 0 {
        digits(fraction / 1_000, 6, &bytes)
      } else {
        digits(fraction, 9, &bytes)
      }
    }
    bytes.append(UInt8(ascii: "Z"))
  }

  private static func digits(_ value: Int64, _ count: Int, _ bytes: inout [UInt8]) {
    let end = bytes.count + count
    for _ in 0..<count { bytes.append(0x30) }
    var rest = UInt32(truncatingIfNeeded: value)
    for index in 1...count {
      bytes[end - index] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }

  /// The proleptic Gregorian date of a day counted from 1970-01-01. Years are counted from 1 March, so that
  /// a leap day ends its year, and in eras of 400 years, which all have 146,097 days.
  private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468  // days since 0000-03-01
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }
}
