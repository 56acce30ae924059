/// Text that is the same only byte by byte.
///
/// Swift's `String` calls "é" as one scalar and as "e" with an accent equal (canonical equivalence). In a
/// certificate these are two names, for which two people may hold two certificates: whoever compares names
/// for a verdict compares these.
package struct ExactText: Hashable, Sendable {
  package let text: String

  package init(_ text: String) { self.text = text }

  package static func == (left: Self, right: Self) -> Bool { left.text.isExactly(right.text) }

  package func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}

extension ExactText: Comparable {
  /// In the order of the bytes, whatever locale the process has.
  package static func < (left: Self, right: Self) -> Bool {
    left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
  }
}

extension String {
  /// Whether two texts are the same byte by byte.
  package func isExactly(_ other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
  }

  /// Whether there is another text, the same byte by byte.
  package func isExactly(_ other: String?) -> Bool { other.map { isExactly($0) } ?? false }
}

extension [String] {
  /// Whether there are the same texts in the same order, each byte by byte.
  package func isExactly(_ other: [String]) -> Bool { elementsEqual(other) { $0.isExactly($1) } }
}

extension String? {
  /// Whether there are two texts, the same byte by byte, or none at all.
  package func isExactly(_ other: String?) -> Bool { map { $0.isExactly(other) } ?? (other == nil) }
}
