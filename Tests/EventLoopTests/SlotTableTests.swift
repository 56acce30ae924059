import EventLoop
import Testing

@Suite struct SlotTableTests {
  @Test func elementsAreFoundByTheirTokens() {
    var table = SlotTable<String>()
    let (a, b) = (table.insert("a"), table.insert("b"))
    #expect(table[a] == "a")
    #expect(table[b] == "b")
    #expect(table.count == 2)
  }

  @Test func aStaleTokenFindsChangesAndRemovesNothing() {
    var table = SlotTable<String>()
    let old = table.insert("old")
    #expect(table.remove(old) == "old")
    #expect(table[old] == nil)
    let new = table.insert("new")
    #expect(new.slot == old.slot)
    #expect(new != old)
    #expect(table[old] == nil)
    #expect(table.update(old) { $0 = "changed" } == nil)
    #expect(table.remove(old) == nil)
    #expect(table[new] == "new")
    #expect(table.count == 1)
  }

  @Test func tokensFromNowhereFindNothing() {
    var table = SlotTable<String>()
    _ = table.insert("a")
    #expect(table[Token(slot: 1, generation: 0)] == nil)
    #expect(table[Token(slot: 0, generation: 1)] == nil)
    #expect(table[.reserved(0)] == nil)
    #expect(table.remove(.reserved(0)) == nil)
  }

  @Test func anElementChangesInPlace() {
    var table = SlotTable<[Int]>()
    let token = table.insert([1])
    let count = table.update(token) { element in
      element.append(2)
      return element.count
    }
    #expect(count == 2)
    #expect(table[token] == [1, 2])
  }

  @Test func everyLiveElementIsVisitedOnce() {
    var table = SlotTable<Int>()
    let tokens = (0..<5).map { table.insert($0) }
    table.remove(tokens[1])
    table.remove(tokens[3])
    var seen: [Token: Int] = [:]
    table.forEach { seen[$0] = $1 }
    #expect(seen == [tokens[0]: 0, tokens[2]: 2, tokens[4]: 4])
  }

  @Test func aTokenIsOneNumberAndBack() {
    let token = Token(slot: 0x0102_0304, generation: 0xa0b0_c0d0)
    #expect(token.raw == 0x0102_0304_a0b0_c0d0)
    #expect(Token(raw: token.raw) == token)
  }
}
