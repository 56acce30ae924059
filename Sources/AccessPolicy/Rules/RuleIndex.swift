import Patterns

/// Finds the rules that are about a caller at a listener, without looking at the others.
struct RuleIndex: Sendable {
  /// A listener's position, or ``anyListener``.
  private typealias Place = Int
  private static let anyListener = -1

  /// Whom and where a rule is about; nil for everyone.
  private struct Scope: Hashable, Sendable {
    let selector: CallerSelector?
    let place: Place
  }

  /// nil where nobody knows the names: then every rule stands under ``anyListener``, and is asked.
  private let listeners: [ExactText: Place]?
  /// The globs of rules that are about some listeners, where nobody knows the names.
  private let unplaced: [Int: [Glob]]
  private let scopes: [Scope: RuleBucket]
  /// Each glob that rules speak of, with its buckets in ``scopes``, found by its beginning.
  private let globs: [(glob: Glob, scope: Scope)]
  private let globIndex: PrefixIndex

  /// - Parameters:
  ///   - rules: in the order in which they are numbered.
  ///   - listeners: the names that rules may speak of; nil where nobody knows them.
  init(_ rules: [CompiledRule], listeners: [String]?) {
    let places = listeners.map { listeners in
      Dictionary(
        listeners.enumerated().map { (ExactText($0.element), $0.offset) },
        uniquingKeysWith: { first, _ in first })
    }
    var unplaced: [Int: [Glob]] = [:]
    var members: [Scope: [Int]] = [:]
    for (position, rule) in rules.enumerated() {
      for scope in Self.scopes(of: rule, places) { members[scope, default: []].append(position) }
      if places == nil, let names = rule.listeners { unplaced[position] = names.map { Glob($0) } }
    }
    var globs: [(Glob, Scope)] = []
    var globIndex = PrefixIndex()
    for scope in members.keys {
      guard case .glob(let glob)? = scope.selector else { continue }
      globIndex.insert(globs.count, under: glob.literalPrefix)
      globs.append((glob, scope))
    }
    self.listeners = places
    self.unplaced = unplaced
    self.globs = globs
    self.globIndex = globIndex
    scopes = members.mapValues { RuleBucket($0, rules) }
  }

  private static func scopes(of rule: CompiledRule, _ places: [ExactText: Place]?) -> Set<Scope> {
    var reached: Set<Place> = [anyListener]
    if let listeners = rule.listeners, let places {
      let globs = listeners.map { Glob($0) }
      reached = Set(places.filter { place in globs.contains { $0.matches(place.key.text) } }.values)
    }
    let selectors = rule.callers.map { $0.map { Optional(CallerSelector($0)) } } ?? [nil]
    var scopes: Set<Scope> = []
    for place in reached {
      for selector in selectors { scopes.insert(Scope(selector: selector, place: place)) }
    }
    return scopes
  }

  /// - Returns: the rules to ask, in ascending order, each once.
  func candidates(_ caller: Caller, _ situation: Situation) -> [Int] {
    var found: [Int] = []
    collect(caller, Self.anyListener, situation, &found)
    guard case .text(let name)? = situation.facts[.listener] else {
      return found.sortedOnce().filter { unplaced[$0] == nil }
    }
    if let place = listeners?[ExactText(name)] { collect(caller, place, situation, &found) }
    guard !unplaced.isEmpty else { return found.sortedOnce() }
    return found.sortedOnce().filter { unplaced[$0]?.contains { $0.matches(name) } ?? true }
  }

  private func collect(_ caller: Caller, _ place: Place, _ situation: Situation, _ found: inout [Int]) {
    scopes[Scope(selector: nil, place: place)]?.collect(situation, into: &found)
    let name = CallerSelector.name(ExactText(caller.name))
    scopes[Scope(selector: name, place: place)]?.collect(situation, into: &found)
    for group in caller.groups {
      scopes[Scope(selector: .group(ExactText(group)), place: place)]?.collect(situation, into: &found)
    }
    guard !globs.isEmpty else { return }
    var hits: [Int] = []
    globIndex.collect(caller.name, into: &hits)
    for hit in hits where globs[hit].scope.place == place && globs[hit].glob.matches(caller.name) {
      scopes[globs[hit].scope]?.collect(situation, into: &found)
    }
  }
}

/// The rules of one scope. A handful is asked one by one; more are filed by what their conditions ask for.
private enum RuleBucket: Sendable {
  case few([Int])
  case many(ConditionIndex)

  init(_ positions: [Int], _ rules: [CompiledRule]) {
    self =
      positions.count < 16 ? .few(positions) : .many(ConditionIndex(positions.map { ($0, rules[$0].when) }))
  }

  func collect(_ situation: Situation, into found: inout [Int]) {
    switch self {
    case .few(let positions): found += positions
    case .many(let index): index.collect(situation, into: &found)
    }
  }
}
