/// One segment of a ``CapturePattern``: text, then names with the text behind each.
struct CaptureSegment: Hashable, Sendable {
  struct Capture: Hashable, Sendable {
    let name: String
    var tail: [UInt8] = []
  }

  var prefix: [UInt8] = []
  var captures: [Capture] = []

  mutating func append(_ text: Substring.UTF8View) {
    if captures.isEmpty { prefix += text } else { captures[captures.count - 1].tail += text }
  }

  /// The text between the prefix and the last tail, which both must be there.
  private func middle(_ part: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    let suffix = captures.last?.tail ?? []
    guard part.count >= prefix.count + suffix.count, part.starts(with: prefix),
      part.suffix(suffix.count).elementsEqual(suffix)
    else { return nil }
    return part.dropFirst(prefix.count).dropLast(suffix.count)
  }

  /// What each name captures, with every name but the last as short as can be.
  func shortestFirst(_ part: ArraySlice<UInt8>) -> [ArraySlice<UInt8>]? {
    guard var rest = middle(part) else { return nil }
    guard !captures.isEmpty else { return rest.isEmpty ? [] : nil }
    var texts: [ArraySlice<UInt8>] = []
    for capture in captures.dropLast() {
      guard let found = rest.dropFirst().firstRange(of: capture.tail) else { return nil }
      texts.append(rest[..<found.lowerBound])
      rest = rest[found.upperBound...]
    }
    return rest.isEmpty ? nil : texts + [rest]
  }

  /// What each name captures, with every name but the first as short as can be.
  func longestFirst(_ part: ArraySlice<UInt8>) -> [ArraySlice<UInt8>]? {
    guard var rest = middle(part) else { return nil }
    guard !captures.isEmpty else { return rest.isEmpty ? [] : nil }
    var texts: [ArraySlice<UInt8>] = []
    for capture in captures.dropLast().reversed() {
      guard let found = rest.dropLast().lastRange(of: capture.tail) else { return nil }
      texts.append(rest[found.upperBound...])
      rest = rest[..<found.lowerBound]
    }
    return rest.isEmpty ? nil : Array((texts + [rest]).reversed())
  }
}

extension ArraySlice<UInt8> {
  fileprivate func firstRange(of needle: [UInt8]) -> Range<Int>? {
    guard count >= needle.count else { return nil }
    return (startIndex...(endIndex - needle.count)).first { self[$0...].starts(with: needle) }
      .map { $0..<($0 + needle.count) }
  }

  fileprivate func lastRange(of needle: [UInt8]) -> Range<Int>? {
    guard count >= needle.count else { return nil }
    return (startIndex...(endIndex - needle.count)).last { self[$0...].starts(with: needle) }
      .map { $0..<($0 + needle.count) }
  }
}
