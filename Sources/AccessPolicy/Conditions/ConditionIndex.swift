import Patterns

/// Finds things that have conditions, such as rules, by what one of their conditions asks for.
///
/// Each is filed under the texts, or the beginnings of texts, that one of its conditions names: the condition
/// that the fewest others share. Only what is filed under a value that a connection has can match, so nothing
/// else is asked.
struct ConditionIndex: Sendable {
  private var byText: [Field: [ExactText: [Int]]] = [:]
  private var byPrefix: [Field: PrefixIndex] = [:]
  /// What no text stands for: regular expressions, suffixes, ranges.
  private var others: [Int] = []

  init(_ items: [(position: Int, conditions: [CompiledCondition])]) {
    var crowds: [Key: Int] = [:]
    let keys = items.map { item in item.conditions.compactMap(\.keys) }
    for key in keys.joined().joined() { crowds[key, default: 0] += 1 }
    for (item, keys) in zip(items, keys) {
      let best = keys.min { Self.crowd($0, crowds) < Self.crowd($1, crowds) }
      guard let best else {
        others.append(item.position)
        continue
      }
      for key in best { file(item.position, key) }
    }
  }

  /// Adds the positions of what may match, some perhaps twice, in no order.
  func collect(_ situation: Situation, into found: inout [Int]) {
    found += others
    for (field, index) in byText {
      situation.forEachText(field) { text in
        if let positions = index[ExactText(text)] { found += positions }
      }
    }
    for (field, index) in byPrefix {
      situation.forEachText(field) { index.collect($0, into: &found) }
    }
  }

  private mutating func file(_ position: Int, _ key: Key) {
    if key.isPrefix {
      byPrefix[key.field, default: PrefixIndex()].insert(position, under: key.text.text)
    } else {
      byText[key.field, default: [:]][key.text, default: []].append(position)
    }
  }

  private static func crowd(_ keys: [Key], _ crowds: [Key: Int]) -> Int {
    keys.reduce(0) { $0 + (crowds[$1] ?? 0) }
  }

  /// A text, or a beginning of texts, that a condition asks for.
  fileprivate struct Key: Hashable, Sendable {
    let field: Field
    let text: ExactText
    let isPrefix: Bool
  }
}

extension CompiledCondition {
  /// What the condition asks for: one of these, or it fails. Nil where texts cannot tell.
  fileprivate var keys: [ConditionIndex.Key]? {
    var keys: [ConditionIndex.Key] = []
    for alternative in alternatives {
      let (text, isPrefix): (String, Bool)
      switch alternative {
      case .literal(let literal): (text, isPrefix) = (literal, false)
      case .capture(let pattern): (text, isPrefix) = (pattern.template.literalPrefix, true)
      case .prefix(let prefix): (text, isPrefix) = (prefix, true)
      default: return nil
      }
      guard !isPrefix || !text.isEmpty else { return nil }
      keys.append(ConditionIndex.Key(field: field, text: ExactText(text), isPrefix: isPrefix))
    }
    return keys
  }
}

extension Situation {
  /// Visits the values of a text field in canonical form.
  func forEachText(_ field: Field, _ body: (String) -> Void) {
    switch facts[field] {
    case .text(let text)?: body(field.canonical(text))
    case .texts(let texts)?: for text in texts { body(field.canonical(text)) }
    default: break
    }
  }
}

extension [Int] {
  /// In ascending order, each once.
  func sortedOnce() -> [Int] {
    guard count > 1 else { return self }
    var sorted = sorted()
    var kept = 1
    for index in 1..<sorted.count where sorted[index] != sorted[kept - 1] {
      sorted[kept] = sorted[index]
      kept += 1
    }
    sorted.removeLast(sorted.count - kept)
    return sorted
  }
}
