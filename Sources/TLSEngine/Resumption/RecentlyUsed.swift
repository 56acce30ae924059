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

  /// Puts a value there in place of the one that the key had. What costs more than an eighth of the budget is
  /// not kept: it would cost too many others their place.
  mutating func insert(_ value: Value, for key: Key, cost: Int) {
    remove(key)
    guard cost <= budget / 8 else { return }
    while count >= capacity || self.cost + cost > budget {
      guard let oldest else { return }
      remove(nodes[oldest].key)
    }
    let node = Node(key: key, value: value, cost: cost)
    let place = vacant.popLast() ?? nodes.count
    if place == nodes.count { nodes.append(node) } else { nodes[place] = node }
    places[key] = place
    self.cost += cost
    link(place)
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

  /// Drops what was not used for longest, as long as it is of no use any more.
  mutating func trim(while isUseless: (Value) -> Bool) {
    while let oldest, let value = nodes[oldest].value, isUseless(value) { remove(nodes[oldest].key) }
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
