import Testing

@testable import TLSEngine

@Suite struct RecentlyUsedTests {
  @Test func forgetsWhatWasNotUsedForLongest() {
    var table = RecentlyUsed<Int, String>(capacity: 3, budget: 1000)
    for key in 1...3 { table.insert("\(key)", for: key, cost: 1) }
    #expect(table.find(1) == "1")
    table.insert("4", for: 4, cost: 1)
    #expect([1, 2, 3, 4].map { table.find($0) } == ["1", nil, "3", "4"])
    #expect(table.count == 3)
  }

  @Test func staysWithinItsBudget() {
    var table = RecentlyUsed<Int, Int>(capacity: 100, budget: 80)
    for key in 0..<1000 {
      table.insert(key, for: key, cost: key % 10 + 1)
      #expect(table.cost <= 80)
    }
    #expect(table.find(999) == 999)
    table.insert(0, for: 1000, cost: 11)
    #expect(table.find(1000) == nil)
    #expect(table.find(999) == 999)
  }

  @Test func aKeyHasOneValue() {
    var table = RecentlyUsed<Int, String>(capacity: 4, budget: 100)
    table.insert("old", for: 1, cost: 5)
    table.insert("new", for: 1, cost: 7)
    #expect(table.find(1) == "new")
    #expect((table.count, table.cost) == (1, 7))
    #expect(table.remove(1) == "new")
    #expect(table.remove(1) == nil)
    #expect((table.count, table.cost) == (0, 0))
  }

  @Test func tellsWhatHadToGo() {
    var table = RecentlyUsed<Int, Int>(capacity: 4, budget: 40)
    for key in 0..<4 { #expect(table.insert(-key, for: key, cost: 2).isEmpty) }
    _ = table.find(0)
    #expect(table.last?.key == 1)
    #expect(table.insert(4, for: 4, cost: 5).map(\.value) == [-1])
    #expect(!table.takes(cost: 6))
    #expect(table.insert(5, for: 5, cost: 6).isEmpty)
    #expect((table.count, table.cost) == (4, 11))
  }

  /// The same as a plain list would do it, over a long walk without a plan.
  @Test func doesAsAListWould() {
    var table = RecentlyUsed<UInt64, UInt64>(capacity: 7, budget: 7 * 8)
    var list: [UInt64] = []
    var seed: UInt64 = 88_172_645_463_325_252
    for _ in 0..<20_000 {
      seed ^= seed << 13
      seed ^= seed >> 7
      seed ^= seed << 17
      let key = seed % 16
      let position = list.firstIndex(of: key)
      if let position { list.remove(at: position) }
      switch seed >> 60 {
      case 0..<8:
        table.insert(key &* 3, for: key, cost: 1)
        list.append(key)
        if list.count > 7 { list.removeFirst() }
      case 8..<14:
        #expect(table.find(key) == (position == nil ? nil : key &* 3))
        if position != nil { list.append(key) }
      default: #expect(table.remove(key) == (position == nil ? nil : key &* 3))
      }
      #expect((table.count, table.cost) == (list.count, list.count))
    }
  }
}
