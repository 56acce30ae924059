/// What a pattern captured: a few names with their values, in the order of the pattern.
package struct Captures: Hashable, Sendable {
  package private(set) var pairs: [(name: String, value: String)] = []

  package init() {}

  /// Adds a capture. A name that is captured twice must capture the same value twice.
  /// - Returns: false where it does not, and then nothing matches.
  package mutating func add(_ name: String, _ value: String) -> Bool {
    if let known = self[name] { return known.isExactly(value) }
    pairs.append((name, value))
    return true
  }

  package subscript(name: String) -> String? { pairs.first { $0.name == name }?.value }

  package static func == (left: Self, right: Self) -> Bool {
    left.pairs.elementsEqual(right.pairs) { $0.name == $1.name && $0.value.isExactly($1.value) }
  }

  package func hash(into hasher: inout Hasher) {
    for pair in pairs {
      hasher.combine(pair.name)
      hasher.combine(ExactText(pair.value))
    }
  }
}

/// What a pattern says of a value.
package enum MatchOutcome: Sendable, Hashable {
  case matched(Captures)
  case notMatched
  /// A regular expression met its match, depth or heap limit: nobody knows whether it matches.
  case limitExceeded
}

/// A pattern that cannot be used.
package struct PatternError: Error, Hashable, Sendable {
  /// What is wrong with it, without a full stop.
  package var message: String
  /// The position in bytes where that was seen, where it is known.
  package var offset: Int?

  package init(_ message: String, offset: Int? = nil) {
    self.message = message
    self.offset = offset
  }
}
