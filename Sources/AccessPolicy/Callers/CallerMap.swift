import Patterns

/// Certificate to caller name: the first entry that matches, and one name only.
///
/// A certificate with several values in a field, such as two SAN URIs, must not choose which of them names
/// it: where one of them, taken alone, gives another name than another of them, the certificate is ambiguous,
/// whichever entries these names come from.
struct CallerMap: Sendable {
  let entries: [CompiledCaller]
  private let index: ConditionIndex
  /// The fields that some entry asks for, of which a certificate may have several values.
  private let pluralFields: [Field]

  /// What the certificate was mapped to.
  enum Outcome {
    case caller(Caller)
    case unmapped
    case ambiguous([String])
    /// The name of the entry whose regular expression met its limits.
    case limitExceeded(String)
  }

  init(_ entries: [CompiledCaller]) {
    self.entries = entries
    index = ConditionIndex(entries.enumerated().map { ($0.offset, $0.element.conditions) })
    let asked = Set(entries.flatMap(\.conditions).map(\.field))
    pluralFields = Field.allCases.filter { field in
      asked.contains(field) && (field.kind == .texts || field.kind == .addresses)
    }
  }

  func map(_ situation: Situation) -> Outcome {
    let first = firstMatch(situation)
    guard case .caller(let caller) = first else { return first }
    for field in pluralFields {
      for single in situation.split(by: field) {
        switch firstMatch(single) {
        case .caller(let other):
          guard other.name.isExactly(caller.name) else { return .ambiguous([caller.name, other.name]) }
        case .unmapped: break
        case .ambiguous(let names): return .ambiguous(names)
        case .limitExceeded(let entry): return .limitExceeded(entry)
        }
      }
    }
    return first
  }

  private func firstMatch(_ situation: Situation) -> Outcome {
    guard let (position, outcome) = firstAnswer(situation) else { return .unmapped }
    switch outcome {
    case .failed: return .unmapped
    case .named(let caller): return .caller(caller)
    case .ambiguous(let names): return .ambiguous(names)
    case .limitExceeded: return .limitExceeded(entries[position].name.written)
    }
  }

  /// The first entry that does not fail, and what it says.
  func firstAnswer(_ situation: Situation) -> (position: Int, outcome: CompiledCaller.Outcome)? {
    var candidates: [Int] = []
    index.collect(situation, into: &candidates)
    // A certificate with many values may find one entry by each of them; it is asked once.
    for position in candidates.sortedOnce() {
      let outcome = entries[position].evaluate(situation)
      if case .failed = outcome { continue }
      return (position, outcome)
    }
    return nil
  }
}

extension Situation {
  /// One situation for each value of a field, as if it were the field's only one; none where it has one only.
  fileprivate func split(by field: Field) -> [Situation] {
    let values: [FactValue]
    switch facts[field] {
    case .texts(let texts)? where texts.count > 1:
      values = Set(texts.map { ExactText($0) }).map { .texts([$0.text]) }
    case .addresses(let addresses)? where addresses.count > 1:
      values = Set(addresses).map { .addresses([$0]) }
    default: return []
    }
    guard values.count > 1 else { return [] }
    return values.map { value in
      var facts = facts
      facts[field] = value
      return Situation(facts: facts, at: at, cut: cut)
    }
  }
}

extension CaptureTemplate {
  /// As it was written.
  var written: String { filled { "{\($0)}" } ?? "" }
}
