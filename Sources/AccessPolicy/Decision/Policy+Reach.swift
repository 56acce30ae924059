extension Policy {
  /// A rule or an entry of `callers`: what tests can reach.
  package struct Item: Hashable, Sendable {
    package enum Kind: String, Sendable { case caller, rule }

    package var kind: Kind
    package var name: String
    package var location: SourceLocation
  }

  /// Every entry of `callers` in its order, then every rule in the order of their names.
  package var items: [Item] {
    callers.entries.map { Item(kind: .caller, name: $0.name.written, location: $0.location) }
      + rules.map { Item(kind: .rule, name: $0.name, location: $0.location) }
  }

  /// What a connection with this decision has reached: the entry that names its caller, and every rule that
  /// matched.
  /// - Parameter decision: what ``decide(_:at:)`` said of the same facts at the same moment.
  package func reached(by decision: Decision, _ facts: Facts, at: Timestamp) -> [Item] {
    guard decision.caller != nil,
      let position = callers.firstAnswer(Situation(facts: facts, at: at))?.position
    else { return [] }
    let entry = callers.entries[position]
    let matched = Set(decision.matched)
    return [Item(kind: .caller, name: entry.name.written, location: entry.location)]
      + rules.lazy.filter { matched.contains($0.name) }
      .map { Item(kind: .rule, name: $0.name, location: $0.location) }
  }
}
