import Patterns

/// Turns matchers as written into matchers that can be asked, and says what is wrong with them.
struct MatcherCompiler {
  /// Where a condition stands: names in braces capture in caller entries and are filled in in rules.
  enum Place { case caller, rule }

  let place: Place
  let zones: ZoneTable

  /// - Returns: the condition, or nil where a finding is an error.
  func compile(_ condition: Condition, _ findings: inout [Diagnostic]) -> CompiledCondition? {
    if place == .caller, condition.field.isClaimedByClient {
      findings.error(
        "field-not-in-callers", at: condition.location,
        "\(condition.field.name) is what the client says of itself, so it cannot name a caller",
        hint: "ask it under 'when' of a rule")
      return nil
    }
    var matchers: [Matcher] = []
    for alternative in condition.alternatives {
      do throws(PatternError) {
        matchers.append(try compile(alternative.value, condition.field))
      } catch {
        findings.error(
          "bad-matcher", at: alternative.location, "\(condition.field.name): \(error.message)",
          hint: error.offset.map { "at byte \($0 + 1) of the value" })
      }
    }
    guard matchers.count == condition.alternatives.count, !matchers.isEmpty else {
      if condition.alternatives.isEmpty {
        findings.error(
          "empty-condition", at: condition.location, "\(condition.field.name) has no value to compare with",
          hint: "an empty list matches nothing; remove the key or give a value")
      }
      return nil
    }
    return CompiledCondition(field: condition.field, alternatives: matchers)
  }

  private func compile(_ matcher: ValueMatcher, _ field: Field) throws(PatternError) -> Matcher {
    switch matcher {
    case .present(let expected): return .present(expected)
    case .plain(let text): return try plain(text, field)
    case .range(let low, let high): return try range(low, high, field)
    case .window(let window):
      guard field == .time else { throw PatternError("a time window belongs to the field 'time'") }
      guard let compiled = CompiledWindow(window, zones: zones) else {
        throw PatternError("unknown time zone '\(window.zone)'; expected a name such as Europe/Madrid")
      }
      return .window(compiled)
    case .cidr(let text):
      guard field.kind == .address || field.kind == .addresses else { throw misplaced("cidr", field) }
      return .block(try block(text))
    case .glob, .regex, .prefix, .suffix:
      guard field.kind == .text || field.kind == .texts else { throw misplaced(matcher.formName, field) }
      return try pattern(matcher, field)
    }
  }

  func misplaced(_ form: String, _ field: Field) -> PatternError {
    PatternError("\(form) does not go with \(field.name), \(field.kind.description)")
  }

  private func plain(_ text: String, _ field: Field) throws(PatternError) -> Matcher {
    switch field.kind {
    case .text, .texts:
      guard text.utf8.contains(where: { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }) else {
        return .literal(
          field.isHexadecimal ? try HexadecimalText(field: field).value(text) : field.canonical(text))
      }
      return try braced(text, field)
    case .address, .addresses: return .block(try block(text))
    case .integer:
      let number = try integer(text)
      return .integers(number...number)
    case .flag:
      guard let flag = Bool(text) else { throw PatternError("expected true or false, found '\(text)'") }
      return .flag(flag)
    case .instant:
      let instant = try instant(text)
      return .instants(instant...instant)
    case .duration: throw PatternError("expected {min: …} or {max: …} with a duration, found '\(text)'")
    case .clock: throw PatternError("expected a time window such as {after: \"08:00\", before: \"18:00\"}")
    }
  }

  private func range(_ low: String?, _ high: String?, _ field: Field) throws(PatternError) -> Matcher {
    switch field.kind {
    case .integer:
      return .integers(try ordered(low.map(integer) ?? .min, high.map(integer) ?? .max))
    case .instant:
      return .instants(
        try ordered(low.map(instant) ?? Timestamp(nanoseconds: .min), high.map(instant) ?? .distantFuture))
    case .duration:
      return .secondsLeft(try ordered(low.map(seconds) ?? .min, high.map(seconds) ?? .max))
    case .text, .texts, .flag, .address, .addresses, .clock: throw misplaced("min and max", field)
    }
  }
}

extension ValueMatcher {
  fileprivate var formName: String {
    switch self {
    case .plain: "a plain value"
    case .glob: "glob"
    case .regex: "regex"
    case .prefix: "prefix"
    case .suffix: "suffix"
    case .cidr: "cidr"
    case .range: "min and max"
    case .present: "present"
    case .window: "a time window"
    }
  }
}

extension Field.Kind: CustomStringConvertible {
  package var description: String {
    switch self {
    case .text, .texts: "which is text"
    case .integer: "which is a whole number"
    case .flag: "which is true or false"
    case .instant: "which is a moment"
    case .address, .addresses: "which is an address"
    case .duration: "which is a span of time"
    case .clock: "which is the wall clock"
    }
  }
}
