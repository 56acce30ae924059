import Patterns

/// What two matchers of one field have to do with each other, as far as that can be told by looking at them.
/// A "no" may mean that nobody knows: what is built on this gives advice, and never a verdict.
extension Matcher {
  /// Whether this holds for no connection for which the other does not hold.
  func implies(_ other: Matcher) -> Bool {
    switch (self, other) {
    case (.present(let mine), .present(let theirs)): mine == theirs
    case (.present, _): false
    case (_, .present(let expected)): expected
    case (.literal(let text), _): other.accepts(text)
    case (.template(let mine), .template(let theirs)): mine == theirs
    case (.template(let mine), .prefix(let prefix)): mine.literalPrefix.begins(with: prefix)
    case (.capture(let mine), .capture(let theirs)): mine.template.shape == theirs.template.shape
    case (.capture(let mine), .glob(let glob)): glob.covers(mine.template.shape)
    case (.capture(let mine), .prefix(let prefix)): mine.template.literalPrefix.begins(with: prefix)
    case (.glob(let mine), .glob(let theirs)): theirs.covers(mine)
    case (.glob(let mine), .prefix(let prefix)): mine.literalPrefix.begins(with: prefix)
    case (.prefix(let mine), .prefix(let theirs)): mine.begins(with: theirs)
    case (.prefix(let mine), .glob(let glob)):
      !mine.utf8.contains(UInt8(ascii: "*")) && glob.covers(Glob(mine + "**"))
    case (.suffix(let mine), .suffix(let theirs)): mine.ends(with: theirs)
    case (.suffix(let mine), .glob(let glob)):
      !mine.utf8.contains(UInt8(ascii: "*")) && glob.covers(Glob("**" + mine))
    case (.regex(let mine), .regex(let theirs)): mine.text.isExactly(theirs.text)
    case (.block(let mine), .block(let theirs)): theirs.contains(mine)
    case (.integers(let mine), .integers(let theirs)): theirs.contains(mine)
    case (.instants(let mine), .instants(let theirs)): theirs.contains(mine)
    case (.secondsLeft(let mine), .secondsLeft(let theirs)): theirs.contains(mine)
    case (.flag(let mine), .flag(let theirs)): mine == theirs
    case (.window(let mine), .window(let theirs)): mine == theirs
    default: false
    }
  }

  /// Whether the two never hold for one connection.
  /// - Parameter single: whether the field has one value at most.
  func excludes(_ other: Matcher, single: Bool) -> Bool {
    switch (self, other) {
    case (.present(let mine), .present(let theirs)): mine != theirs
    case (.present(let expected), _), (_, .present(let expected)): !expected
    case _ where !single: false
    case (.literal(let text), _): other.rejects(text)
    case (_, .literal(let text)): rejects(text)
    case (.glob(let mine), .glob(let theirs)): !mine.overlaps(theirs)
    case (.prefix(let mine), .prefix(let theirs)): !mine.begins(with: theirs) && !theirs.begins(with: mine)
    case (.suffix(let mine), .suffix(let theirs)): !mine.ends(with: theirs) && !theirs.ends(with: mine)
    case (.block(let mine), .block(let theirs)): !mine.contains(theirs) && !theirs.contains(mine)
    case (.integers(let mine), .integers(let theirs)): !mine.overlaps(theirs)
    case (.instants(let mine), .instants(let theirs)): !mine.overlaps(theirs)
    case (.secondsLeft(let mine), .secondsLeft(let theirs)): !mine.overlaps(theirs)
    case (.flag(let mine), .flag(let theirs)): mine != theirs
    default: false
    }
  }

  /// Whether it surely matches the text, and what it captures may become part of a name.
  func accepts(_ text: String) -> Bool {
    guard case .matched(let captures) = match(text: text) else { return false }
    return captures.pairs.allSatisfy { CapturePattern.isSafe($0.value) }
  }

  /// Whether it surely does not match the text.
  private func rejects(_ text: String) -> Bool {
    switch self {
    case .literal, .glob, .prefix, .suffix, .regex:
      if case .notMatched = match(text: text) { true } else { false }
    default: false
    }
  }
}

extension CompiledCondition {
  /// Whether this holds for no connection for which the other does not hold.
  func implies(_ other: CompiledCondition) -> Bool {
    field == other.field
      && alternatives.allSatisfy { mine in other.alternatives.contains { mine.implies($0) } }
  }

  /// Whether the two never hold for one connection.
  func contradicts(_ other: CompiledCondition) -> Bool {
    guard field == other.field else { return false }
    let single = field.kind != .texts && field.kind != .addresses
    return alternatives.allSatisfy { mine in
      other.alternatives.allSatisfy { mine.excludes($0, single: single) }
    }
  }
}

extension [CompiledCondition] {
  /// Whether all of these together hold for no connection for which all of the others do not hold.
  func implies(_ others: [CompiledCondition]) -> Bool {
    others.allSatisfy { other in contains { $0.implies(other) } }
  }

  /// A connection that finds, in a ``ConditionIndex``, everything that these conditions could imply: what is
  /// filed under a text or a beginning is filed under one of what they ask for.
  var probe: Situation {
    var facts = Facts()
    for condition in self where condition.field.kind == .text || condition.field.kind == .texts {
      let text: String? =
        switch condition.alternatives.first {
        case .literal(let text)?: text
        case .prefix(let prefix)?: prefix
        case .template(let template)?: template.literalPrefix
        case .capture(let pattern)?: pattern.template.literalPrefix
        case .glob(let glob)?: glob.literalPrefix
        default: nil
        }
      if let text { facts[condition.field] = .text(text) }
    }
    return Situation(facts: facts, at: Timestamp(nanoseconds: 0))
  }
}

extension CaptureTemplate {
  /// What a value of this form looks like: a capture is some text within a segment.
  var shape: Glob { Glob(filled { _ in "*" } ?? "**") }
}

extension ClosedRange {
  fileprivate func contains(_ other: Self) -> Bool {
    lowerBound <= other.lowerBound && other.upperBound <= upperBound
  }
}

extension String {
  fileprivate func begins(with prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }
  fileprivate func ends(with suffix: String) -> Bool { utf8.reversed().starts(with: suffix.utf8.reversed()) }
}
