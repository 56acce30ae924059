/// A ``CaptureTemplate`` as a matcher of whole values.
///
/// Segment by segment, a value has the text of the pattern with something in the place of each name: at least
/// one character, none of them the separator. Work is linear in the length of the value for each literal.
package struct CapturePattern: Hashable, Sendable {
  package let template: CaptureTemplate
  private let separator: UInt8
  private let segments: [CaptureSegment]

  /// - Parameter separator: what ends a segment: `/`, or `.` for DNS names.
  /// - Throws: where two names stand side by side, whose border nobody could tell.
  package init(_ template: CaptureTemplate, separator: UInt8) throws(PatternError) {
    var segments = [CaptureSegment()]
    for piece in template.pieces {
      switch piece {
      case .literal(let text):
        let parts = text.utf8.split(separator: separator, omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
          if index > 0 { segments.append(CaptureSegment()) }
          segments[segments.count - 1].append(part)
        }
      case .capture(let name):
        if let last = segments[segments.count - 1].captures.last, last.tail.isEmpty {
          throw PatternError(
            "{\(last.name)} and {\(name)} stand side by side, so nobody could tell where one ends")
        }
        segments[segments.count - 1].captures.append(CaptureSegment.Capture(name: name))
      }
    }
    self.template = template
    self.separator = separator
    self.segments = segments
  }

  /// - Returns: what the names captured; nil where the value does not match as a whole, or can be read in
  ///   more than one way.
  package func match(_ value: String) -> Captures? {
    let readings = readings(value)
    return readings.count == 1 ? readings[0] : nil
  }

  /// The ways to read a value: none, one, or the two that differ most, such as `a` and `b-c`, and `a-b` and
  /// `c` for `a-b-c` under `{x}-{y}`. Whoever names a peer by a value must refuse one with two readings.
  package func readings(_ value: String) -> [Captures] {
    let parts = value.utf8.split(separator: separator, omittingEmptySubsequences: false)
    guard parts.count == segments.count else { return [] }
    guard let shortest = captures(parts, { $0.shortestFirst($1) }) else { return [] }
    guard segments.contains(where: { $0.captures.count > 1 }),
      let longest = captures(parts, { $0.longestFirst($1) }), longest != shortest
    else { return [shortest] }
    return [shortest, longest]
  }

  private func captures(
    _ parts: [Substring.UTF8View], _ read: (CaptureSegment, ArraySlice<UInt8>) -> [ArraySlice<UInt8>]?
  ) -> Captures? {
    var captures = Captures()
    for (segment, part) in zip(segments, parts) {
      guard let texts = read(segment, ArraySlice(part)) else { return nil }
      for (capture, bytes) in zip(segment.captures, texts) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard Self.isSafe(text), captures.add(capture.name, text) else { return nil }
      }
    }
    return captures
  }

  /// A capture becomes a part of a caller's name: it must not be empty, hide (control and format characters,
  /// which logs and people do not see), forge another segment (`/`), or be the wildcard of a certificate that
  /// stands for many names.
  package static func isSafe(_ captured: String) -> Bool {
    guard !captured.isEmpty else { return false }
    return captured.unicodeScalars.allSatisfy { scalar in
      guard !scalar.isASCII else {
        return scalar != "/" && scalar != "*" && scalar.value >= 0x20 && scalar.value != 0x7f
      }
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: return false
      default: return true
      }
    }
  }
}
