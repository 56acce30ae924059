import Patterns

/// Finds what is filed under a prefix of a text, in as many look-ups as there are lengths of prefixes.
struct PrefixIndex: Sendable {
  private var byPrefix: [ExactText: [Int]] = [:]
  private var lengths: [Int] = []

  mutating func insert(_ entry: Int, under prefix: String) {
    byPrefix[ExactText(prefix), default: []].append(entry)
    let length = prefix.utf8.count
    if !lengths.contains(length) {
      lengths.append(length)
      lengths.sort()
    }
  }

  /// Adds what is filed under any prefix of `text`.
  func collect(_ text: String, into found: inout [Int]) {
    let bytes = text.utf8
    for length in lengths {
      guard length <= bytes.count else { return }
      guard let prefix = String(bytes.prefix(length)) else { continue }
      if let entries = byPrefix[ExactText(prefix)] { found += entries }
    }
  }
}
