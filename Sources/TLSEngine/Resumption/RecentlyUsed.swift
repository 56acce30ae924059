/// A table that forgets what was not used for longest, so that it stays within a number of entries and a cost.
///
/// Each operation takes constant time, whatever others have put there.
struct RecentlyUsed<Key: Hashable, Value> {
  private struct Node {
    var key: Key
    /// nil: the place is vacant.
    var value: Value?
    var cost: Int
    var newer: Int?
    var older: Int?
  }

  private let capacity: Int
  private let budget: Int
  private var places: [Key: Int] = [:]
  private var nodes: [Node] = []
  private var vacant: [Int] = []
  private var newest: Int?
  private var oldest: Int?
  /// What the entries cost together.
  private(set) var cost = 0

  /// - Parameters:
  ///   - capacity: the most entries; at least one.
  ///   - budget: the most that they may cost together.
  init(capacity: Int, budget: Int) {
    self.capacity = max(1, capacity)
    self.budget = budget
  }

  var count: Int { places.count }

  /// - Returns: the value, which was used now.
  mutating func find(_ key: Key) -> Value? {
    guard let place = places[key] else { return nil }
    if newest != place {
      unlink(place)
      link(place)
    }
    return nodes[place].value
  }

  /// What costs more than an eighth of the budget would cost too many others their place.
  func takes(cost: Int) -> Bool { cost <= budget / 8 }

  /// Puts a value there in place of the one that the key had, if the table takes it.
  /// - Returns: the others that had to go.
  @discardableResult
  mutating func insert(_ value: Value, for key: Key, cost: Int) -> [(key: Key, value: Value)] {
    remove(key)
    guard takes(cost: cost) else { return [] }
    var gone: [(key: Key, value: Value)] = []
    while count >= capacity || self.cost + cost > budget, let oldest {
      let key = nodes[oldest].key
      if let value = remove(key) { gone.append((key, value)) }
    }
    let node = Node(key: key, value: value, cost: cost)
    let place = vacant.popLast() ?? nodes.count
    if place == nodes.count { nodes.append(node) } else { nodes[place] = node }
    places[key] = place
    self.cost += cost
    link(place)
    return gone
  }

  /// - Returns: the value that was there.
  @discardableResult
  mutating func remove(_ key: Key) -> Value? {
    guard let place = places.removeValue(forKey: key) else { return nil }
    unlink(place)
    cost -= nodes[place].cost
    let value = nodes[place].value
    nodes[place].value = nil
    vacant.append(place)
    return value
  }

  /// What was not used for longest.
  var last: (key: Key, value: Value)? {
    oldest.flatMap { place in nodes[place].value.map { (nodes[place].key, $0) } }
  }

  private mutating func link(_ place: Int) {
    nodes[place].newer = nil
    nodes[place].older = newest
    if let newest { nodes[newest].newer = place } else { oldest = place }
    newest = place
  }

  private mutating func unlink(_ place: Int) {
    let (newer, older) = (nodes[place].newer, nodes[place].older)
    if let newer { nodes[newer].older = older } else { newest = older }
    if let older { nodes[older].newer = newer } else { oldest = newer }
  }
}
