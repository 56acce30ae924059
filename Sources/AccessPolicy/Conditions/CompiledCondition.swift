import Patterns

/// A condition of a rule or a caller entry, ready to be asked.
struct CompiledCondition: Sendable {
  let field: Field
  let alternatives: [Matcher]

  /// Asks a rule's condition. A field that the connection does not have makes it fail, save `present: false`.
  /// - Parameter capture: what the caller's mapping captured, by name.
  func evaluate(_ situation: Situation, capture: (String) -> String?) -> ConditionOutcome {
    var outcome = ConditionOutcome.fails
    for alternative in alternatives {
      switch evaluate(alternative, situation, capture) {
      case .holds: return .holds
      case .limitExceeded: outcome = .limitExceeded
      case .fails: break
      }
    }
    return outcome
  }

  private func evaluate(
    _ matcher: Matcher, _ situation: Situation, _ capture: (String) -> String?
  ) -> ConditionOutcome {
    switch matcher {
    case .present(let expected): return isPresent(situation) == expected ? .holds : .fails
    case .window(let window): return window.contains(situation.at) ? .holds : .fails
    case .secondsLeft(let range):
      return secondsLeft(situation).map { range.contains($0) } == true ? .holds : .fails
    case .template(let template):
      guard let text = template.filled(capture) else { return .fails }
      return evaluateValues(.literal(field.canonical(text)), situation)
    default: return evaluateValues(matcher, situation)
    }
  }

  private func evaluateValues(_ matcher: Matcher, _ situation: Situation) -> ConditionOutcome {
    guard let value = situation.facts[field] else { return .fails }
    switch value {
    case .text(let text): return outcome(match(matcher, text, situation))
    case .texts(let texts):
      var result = ConditionOutcome.fails
      for text in texts {
        switch outcome(match(matcher, text, situation)) {
        case .holds: return .holds
        case .limitExceeded: result = .limitExceeded
        case .fails: break
        }
      }
      return result
    case .integer, .flag, .instant, .address, .addresses:
      return matcher.holds(for: value) ? .holds : .fails
    }
  }

  private func match(_ matcher: Matcher, _ text: String, _ situation: Situation) -> MatchOutcome {
    let canonical = field.canonical(text)
    return situation.isCut(text, of: field) ? matcher.match(cut: canonical) : matcher.match(text: canonical)
  }

  private func outcome(_ match: MatchOutcome) -> ConditionOutcome {
    switch match {
    case .matched: .holds
    case .notMatched: .fails
    case .limitExceeded: .limitExceeded
    }
  }

  func isPresent(_ situation: Situation) -> Bool {
    switch field {
    case .time: true
    case .validFor: situation.facts[.notAfter] != nil
    default: situation.facts[field] != nil
    }
  }

  private func secondsLeft(_ situation: Situation) -> Int64? {
    guard case .instant(let end)? = situation.facts[.notAfter] else { return nil }
    return end.seconds - situation.at.seconds
  }
}

extension CompiledCondition {
  /// Asks a caller entry's condition, of which every way to match counts.
  /// - Returns: the different things that were captured, one for each way, and not many more than
  ///   ``CompiledCaller/readingLimit``; empty where nothing matches; nil where a regular expression met its
  ///   limits.
  func matches(_ situation: Situation) -> [Captures]? {
    var found: [Captures] = []
    for alternative in alternatives {
      guard let texts = texts(situation.facts[field]), alternative.asksText else {
        switch evaluate(alternative, situation, { _ in nil }) {
        case .holds: Self.add(Captures(), to: &found)
        case .limitExceeded: return nil
        case .fails: break
        }
        continue
      }
      for text in texts where found.count <= CompiledCaller.readingLimit {
        if situation.isCut(text, of: field) {
          switch alternative.match(cut: field.canonical(text)) {
          case .matched: Self.add(Captures(), to: &found)
          case .notMatched: break
          case .limitExceeded: return nil
          }
          continue
        }
        guard let readings = alternative.readings(text: field.canonical(text)) else { return nil }
        for captures in readings { Self.add(captures, to: &found) }
      }
    }
    return found
  }

  private static func add(_ captures: Captures, to found: inout [Captures]) {
    if !found.contains(captures) { found.append(captures) }
  }

  private func texts(_ value: FactValue?) -> [String]? {
    switch value {
    case .text(let text)?: [text]
    case .texts(let texts)?: texts
    default: nil
    }
  }
}

extension Matcher {
  /// Every way in which the text matches, by what was captured; nil where a limit was met.
  fileprivate func readings(text: String) -> [Captures]? {
    if case .capture(let pattern) = self { return pattern.readings(text) }
    switch match(text: text) {
    // What is captured becomes part of a name, wherever it was captured.
    case .matched(let captures):
      return captures.pairs.allSatisfy { CapturePattern.isSafe($0.value) } ? [captures] : []
    case .notMatched: return []
    case .limitExceeded: return nil
    }
  }

  /// Whether it asks about texts, and so may capture.
  fileprivate var asksText: Bool {
    switch self {
    case .literal, .capture, .glob, .regex, .prefix, .suffix: true
    case .template, .block, .integers, .instants, .secondsLeft, .flag, .present, .window: false
    }
  }
}
