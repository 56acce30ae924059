import Patterns

/// The values of fields that are not text, as people write them.
extension MatcherCompiler {
  func block(_ text: String) throws(PatternError) -> CIDRBlock {
    guard let block = CIDRBlock(text) else {
      throw PatternError(
        "'\(text)' is no address and no CIDR block; expected such as 10.0.0.0/8, without bits behind the prefix"
      )
    }
    return block
  }

  func integer(_ text: String) throws(PatternError) -> Int {
    guard let number = Int(text) else { throw PatternError("expected a whole number, found '\(text)'") }
    return number
  }

  func instant(_ text: String) throws(PatternError) -> Timestamp {
    guard let instant = Timestamp(rfc3339: text) else {
      throw PatternError("expected a time such as 2027-01-31T00:00:00Z, found '\(text)'")
    }
    return instant
  }

  func seconds(_ text: String) throws(PatternError) -> Int64 {
    guard let duration = Duration(configured: text) else {
      throw PatternError("expected a duration such as 12h or 30d, found '\(text)'")
    }
    return duration.components.seconds
  }

  func ordered<Bound: Comparable>(
    _ low: Bound, _ high: Bound
  ) throws(PatternError) -> ClosedRange<Bound> {
    guard low <= high else { throw PatternError("min is greater than max, so nothing would match") }
    return low...high
  }

}
