import Patterns

/// A ``ValueMatcher`` made ready: parsed, checked against its field, in canonical form.
enum Matcher: Sendable {
  case literal(String)
  /// A literal with `{names}` that the caller's mapping has captured.
  case template(CaptureTemplate)
  /// A literal with `{names}` to capture.
  case capture(CapturePattern)
  case glob(Glob)
  case regex(BoundedRegex)
  case prefix(String)
  case suffix(String)
  case block(CIDRBlock)
  case integers(ClosedRange<Int>)
  case instants(ClosedRange<Timestamp>)
  /// Seconds left until `not_after`.
  case secondsLeft(ClosedRange<Int64>)
  case flag(Bool)
  case present(Bool)
  case window(CompiledWindow)
}

/// What a condition says of a connection.
enum ConditionOutcome: Sendable, Equatable {
  case holds
  case fails
  /// A regular expression met its limits: nobody knows.
  case limitExceeded
}

/// A connection at the moment when it is judged.
struct Situation {
  let facts: Facts
  let at: Timestamp
  /// Fields of which long values are known by their beginnings only, as the log keeps them.
  var cut: Set<Field> = []
}

extension Matcher {
  /// Asks about one value of a field with text, and says what was captured where it matches.
  func match(text: String) -> MatchOutcome {
    switch self {
    case .literal(let literal): return literal.isExactly(text) ? .matched(Captures()) : .notMatched
    case .capture(let pattern): return pattern.match(text).map { .matched($0) } ?? .notMatched
    case .glob(let glob): return glob.matches(text) ? .matched(Captures()) : .notMatched
    case .regex(let regex): return regex.match(text)
    case .prefix(let prefix):
      return text.utf8.starts(with: prefix.utf8) ? .matched(Captures()) : .notMatched
    case .suffix(let suffix):
      return text.utf8.reversed().starts(with: suffix.utf8.reversed()) ? .matched(Captures()) : .notMatched
    case .template, .block, .integers, .instants, .secondsLeft, .flag, .present, .window: return .notMatched
    }
  }

  /// Asks about one value of a field that is not text.
  func holds(for value: FactValue) -> Bool {
    switch (self, value) {
    case (.block(let block), .address(let address)): block.contains(address)
    case (.block(let block), .addresses(let addresses)): addresses.contains { block.contains($0) }
    case (.integers(let range), .integer(let number)): range.contains(number)
    case (.instants(let range), .instant(let instant)): range.contains(instant)
    case (.flag(let expected), .flag(let flag)): expected == flag
    default: false
    }
  }
}
