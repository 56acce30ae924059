extension Timestamp {
  /// Reads an RFC 3339 §5.6 date-time: `2027-01-31T00:00:00Z`, with any offset and any fraction of which
  /// nanoseconds are kept. A leap second counts as the second that follows it.
  package init?(rfc3339 text: String) {
    var reader = DigitReader(text)
    guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
      let day = reader.number(2), reader.take("T") || reader.take("t"), let hour = reader.number(2),
      reader.take(":"), let minute = reader.number(2), reader.take(":"), let second = reader.number(2),
      (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day), hour < 24, minute < 60,
      second <= 60
    else { return nil }
    var nanoseconds = 0
    if reader.take(".") {
      guard let fraction = reader.fraction() else { return nil }
      nanoseconds = fraction
    }
    guard let offset = reader.offsetMinutes(), reader.isAtEnd else { return nil }
    let days = Self.daysSinceEpoch(year, month, day)
    let seconds = Int64(days) * 86400 + Int64(hour * 3600 + (minute - offset) * 60 + second)
    // Clamped as a whole: a clamped second with a fraction added would read back as another instant.
    self.init(nanoseconds: Int64(clamping: Int128(seconds) * 1_000_000_000 + Int128(nanoseconds)))
  }

  /// UTC with `Z`, and a fraction of three, six or nine digits only where there is one: as the audit log writes
  /// it, so that what a report says of a record is found in the log by a search.
  package var rfc3339: String {
    // Not from `seconds`: at the early end of the range a product of the second would not fit.
    let remainder = Int(nanoseconds % 1_000_000_000)
    let fraction = remainder < 0 ? remainder + 1_000_000_000 : remainder
    guard fraction != 0 else { return "\(wholeSeconds)Z" }
    var digits = String(fraction)
    digits = String(repeating: "0", count: 9 - digits.count) + digits
    while digits.hasSuffix("000") { digits.removeLast(3) }
    return "\(wholeSeconds).\(digits)Z"
  }

  private var wholeSeconds: String {
    let days = Self.floorDivide(Int(seconds), 86400)
    let second = Int(seconds) - days * 86400
    let (year, month, day) = Self.date(days)
    return "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))T"
      + "\(Self.padded(second / 3600, 2)):\(Self.padded(second / 60 % 60, 2)):\(Self.padded(second % 60, 2))"
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  // MARK: The proleptic Gregorian calendar, counted in years that begin in March, so that February is last.

  private static func days(in month: Int, of year: Int) -> Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  private static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let marchYear = month > 2 ? year : year - 1
    let marchMonth = (month + 9) % 12
    let inYear = (153 * marchMonth + 2) / 5 + day - 1
    return 365 * marchYear + floorDivide(marchYear, 4) - floorDivide(marchYear, 100)
      + floorDivide(marchYear, 400) + inYear - 719_468
  }

  private static func date(_ days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = floorDivide(shifted, 146_097)
    let inEra = shifted - era * 146_097
    let yearOfEra = (inEra - inEra / 1460 + inEra / 36_524 - inEra / 146_096) / 365
    let inYear = inEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * inYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, inYear - (153 * marchMonth + 2) / 5 + 1)
  }

  private static func floorDivide(_ number: Int, _ divisor: Int) -> Int {
    number >= 0 ? number / divisor : (number - divisor + 1) / divisor
  }
}

/// Takes a date-time apart from the left.
private struct DigitReader {
  private var rest: Substring.UTF8View

  init(_ text: String) { rest = Substring(text).utf8 }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard let byte = rest.first, UInt32(byte) == character.value else { return false }
    rest.removeFirst()
    return true
  }

  mutating func number(_ width: Int) -> Int? {
    let digits = rest.prefix(width)
    guard digits.count == width, digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
    rest = rest.dropFirst(width)
    return digits.reduce(0) { $0 * 10 + Int($1) - 48 }
  }

  /// Nanoseconds; digits beyond the ninth are dropped, which rounds down.
  mutating func fraction() -> Int? {
    let digits = rest.prefix { (48...57).contains($0) }
    guard !digits.isEmpty else { return nil }
    rest = rest[digits.endIndex...]
    let nine = Array(digits.prefix(9)) + Array(repeating: 48, count: max(0, 9 - digits.count))
    return nine.reduce(0) { $0 * 10 + Int($1) - 48 }
  }

  mutating func offsetMinutes() -> Int? {
    if take("Z") || take("z") { return 0 }
    let sign = take("+") ? 1 : take("-") ? -1 : 0
    guard sign != 0, let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60
    else {
      return nil
    }
    return sign * (hours * 60 + minutes)
  }
}
