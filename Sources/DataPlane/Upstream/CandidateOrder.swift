import EventLoop
package import GatewayConfiguration

/// In which order a new connection dials an upstream's addresses. Pure.
package enum CandidateOrder {
  package enum Family: Sendable, Hashable { case v4, v6, unix }

  /// An address as the balance sees it.
  package struct Entry: Sendable, Hashable {
    package var live: Int
    package var standing: EndpointHealth.Standing
    package var family: Family

    package init(live: Int = 0, standing: EndpointHealth.Standing = .well, family: Family = .v4) {
      self.live = live
      self.standing = standing
      self.family = family
    }
  }

  /// First the address that is to be tried again, then those that are well as the balance has it, then those
  /// that are left alone, longest first: where all are, each is tried. What follows the first of a kind is for
  /// its failure alone, and alternates between the families (RFC 8305 section 4): where one family does not
  /// get through at all, the next attempt does.
  /// - Parameters:
  ///   - entries: in the order of the configuration, and for a name in that of the resolver (RFC 6724).
  ///   - turn: counts connections; among equals the first address moves on with it.
  /// - Returns: every index, once.
  package static func order(_ entries: [Entry], _ balance: Upstream.Balance, turn: UInt) -> [Int] {
    var trials: [Int] = []
    var well: [Int] = []
    var resting: [(index: Int, since: MonotonicTime)] = []
    for (index, entry) in entries.enumerated() {
      switch entry.standing {
      case .well: well.append(index)
      case .trial: trials.append(index)
      case .resting(let since): resting.append((index, since))
      }
    }
    var turned = rotated(well, by: turn)
    if balance == .leastConnections { turned = sorted(turned) { entries[$0].live < entries[$1].live } }
    let longest = sorted(resting) { $0.since < $1.since }.map(\.index)
    return trials + alternating(turned, entries) + alternating(longest, entries)
  }

  /// Over those that are well only: rotated over all, the load of one that is not would go to its neighbour.
  private static func rotated(_ indices: [Int], by turn: UInt) -> [Int] {
    guard indices.count > 1 else { return indices }
    let first = Int(turn % UInt(indices.count))
    return Array(indices[first...] + indices[..<first])
  }

  /// Keeps the order of equals, which the standard library's sort does not promise.
  private static func sorted<Element>(
    _ elements: [Element], by areInOrder: (Element, Element) -> Bool
  ) -> [Element] {
    elements.enumerated().sorted {
      areInOrder($0.element, $1.element) || (!areInOrder($1.element, $0.element) && $0.offset < $1.offset)
    }.map(\.element)
  }

  /// One of each family in turn, beginning with the family of the first.
  private static func alternating(_ indices: [Int], _ entries: [Entry]) -> [Int] {
    var families: [Family] = []
    var queues: [Family: ArraySlice<Int>] = [:]
    for index in indices {
      let family = entries[index].family
      if !families.contains(family) { families.append(family) }
      queues[family, default: []].append(index)
    }
    var order: [Int] = []
    while order.count < indices.count {
      for family in families {
        if let next = queues[family]?.popFirst() { order.append(next) }
      }
    }
    return order
  }
}

extension NetworkAddress {
  var family: CandidateOrder.Family {
    switch self {
    case .v4: .v4
    case .v6: .v6
    case .unix: .unix
    }
  }
}
