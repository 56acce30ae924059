/// A place in bytes from the wire, between a start and an end that it never crosses: what does not fit is nil,
/// and no length that a peer names can trap.
///
/// It does not hold the bytes, so every read is given them.
package struct WireCursor {
  /// Where the next read begins.
  package private(set) var offset: Int
  package let end: Int

  /// - Parameter range: of the bytes; a part that they do not have is cut off.
  package init(_ range: Range<Int>, of bytes: Span<UInt8>) {
    end = min(range.upperBound, bytes.count)
    offset = min(range.lowerBound, end)
  }

  package var remaining: Int { end - offset }
  package var isAtEnd: Bool { offset == end }

  /// The range of the next `count` bytes.
  package mutating func take(_ count: Int) -> Range<Int>? {
    guard count >= 0, count <= remaining else { return nil }
    defer { offset += count }
    return offset..<offset + count
  }

  package mutating func takeRest() -> Range<Int> {
    defer { offset = end }
    return offset..<end
  }

  /// The range up to the next zero, which is passed over.
  package mutating func takeZeroTerminated(_ bytes: Span<UInt8>) -> Range<Int>? {
    for position in offset..<end where bytes[position] == 0 {
      defer { offset = position + 1 }
      return offset..<position
    }
    return nil
  }

  /// A number of at most 8 bytes, the most significant first.
  package mutating func big(_ count: Int, _ bytes: Span<UInt8>) -> UInt64? {
    take(count).map { $0.reduce(0) { $0 << 8 | UInt64(bytes[$1]) } }
  }

  /// A number of at most 8 bytes, the least significant first.
  package mutating func little(_ count: Int, _ bytes: Span<UInt8>) -> UInt64? {
    take(count).map { $0.reversed().reduce(0) { $0 << 8 | UInt64(bytes[$1]) } }
  }

  package mutating func byte(_ bytes: Span<UInt8>) -> UInt8? {
    take(1).map { bytes[$0.lowerBound] }
  }
}

extension Span<UInt8> {
  /// A copy of a range of the bytes.
  package func copy(_ range: Range<Int>) -> [UInt8] {
    var copy: [UInt8] = []
    copy.reserveCapacity(range.count)
    for position in range { copy.append(self[position]) }
    return copy
  }

  /// The text that a range of the bytes is; nil where it is no UTF-8.
  package func text(_ range: Range<Int>) -> String? {
    String(validating: copy(range), as: UTF8.self)
  }

  /// Whether the bytes of a range are these.
  package func equals(_ range: Range<Int>, _ other: StaticString) -> Bool {
    guard range.count == other.utf8CodeUnitCount else { return false }
    return startsLike(other, at: range.lowerBound) == .whole
  }

  package enum Likeness { case whole, soFar, different }

  /// Whether the bytes from a place on begin with these, or do as far as they reach.
  package func startsLike(_ prefix: StaticString, at start: Int = 0) -> Likeness {
    prefix.withUTF8Buffer { expected in
      let there = Swift.min(expected.count, count - start)
      for position in 0..<there {
        guard unsafe self[start + position] == expected[position] else { return .different }
      }
      return there == expected.count ? .whole : .soFar
    }
  }
}

extension [UInt8] {
  /// Appends a number in `count` bytes, the most significant first.
  package mutating func appendBig(_ value: some BinaryInteger, _ count: Int) {
    for position in (0..<count).reversed() { append(UInt8(truncatingIfNeeded: value >> (8 * position))) }
  }

  /// Appends a number in `count` bytes, the least significant first.
  package mutating func appendLittle(_ value: some BinaryInteger, _ count: Int) {
    for position in 0..<count { append(UInt8(truncatingIfNeeded: value >> (8 * position))) }
  }
}
