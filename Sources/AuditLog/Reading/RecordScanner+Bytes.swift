/// Comparing and copying parts of a line.
extension RecordScanner {
  static func equals(_ line: Span<UInt8>, _ range: Range<Int>, _ text: StaticString) -> Bool {
    range.count == text.utf8CodeUnitCount && starts(line, range.lowerBound, text)
  }

  static func starts(_ line: Span<UInt8>, _ index: Int, _ text: StaticString) -> Bool {
    guard index + text.utf8CodeUnitCount <= line.count else { return false }
    return text.withUTF8Buffer { bytes in
      for offset in bytes.indices where unsafe bytes[offset] != line[index + offset] { return false }
      return true
    }
  }

  static func equals(_ line: Span<UInt8>, _ range: Range<Int>, _ bytes: [UInt8]) -> Bool {
    guard range.count == bytes.count else { return false }
    for offset in bytes.indices where bytes[offset] != line[range.lowerBound + offset] { return false }
    return true
  }

  static func equals(_ line: Span<UInt8>, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
    guard left.count == right.count else { return false }
    for offset in 0..<left.count where line[left.lowerBound + offset] != line[right.lowerBound + offset] {
      return false
    }
    return true
  }

  static func copy(_ line: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count)
    for index in range { bytes.append(line[index]) }
    return bytes
  }
}
