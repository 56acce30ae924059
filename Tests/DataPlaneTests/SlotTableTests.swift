import EventLoop
import Testing

@testable import DataPlane

@Suite struct SlotTableTests {
  @Test func elementsAreFoundByTheirTokens() {
    var table = SlotTable<String>()
    let (a, b) = (table.insert("a"), table.insert("b"))
    #expect(table[a] == "a")
    #expect(table[b] == "b")
    #expect(table.count == 2)
  }

  @Test func aStaleTokenFindsAndRemovesNothing() {
    var table = SlotTable<String>()
    let old = table.insert("old")
    #expect(table.remove(old) == "old")
    #expect(table[old] == nil)
    let new = table.insert("new")
    #expect(new.slot == old.slot)
    #expect(new != old)
    #expect(table[old] == nil)
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

  @Test func everyLiveElementIsVisitedOnce() {
    var table = SlotTable<Int>()
    let tokens = (0..<5).map { table.insert($0) }
    table.remove(tokens[1])
    table.remove(tokens[3])
    var seen: [Token: Int] = [:]
    table.forEach { seen[$0] = $1 }
    #expect(seen == [tokens[0]: 0, tokens[2]: 2, tokens[4]: 4])
    #expect((0..<table.slotCount).map { table.element(inSlot: $0) } == [0, nil, 2, nil, 4])
  }

  /// Two connections are ready in one batch. The first event's handler ends the other connection, and a new one
  /// takes its slot before the other's event comes.
  @Test func anEventOfAnEndedConnectionFindsNothingInItsReusedSlot() throws {
    let poller = try Poller()
    let (one, two) = (try Mailbox<Int>(), try Mailbox<Int>())
    var table = SlotTable<String>()
    let tokens = [table.insert("one"), table.insert("two")]
    try poller.add(one.descriptor, token: tokens[0].raw, mode: .edge)
    try poller.add(two.descriptor, token: tokens[1].raw, mode: .edge)
    one.post(1)
    two.post(1)
    var found: [String?] = []
    try poller.wait(timeoutMilliseconds: 1_000) { raw, _ in
      let token = Token(raw: raw)
      found.append(table[token])
      for other in tokens where other != token && table.remove(other) != nil {
        #expect(table.insert("successor").slot == other.slot)
      }
    }
    #expect(found == ["one", nil])
  }
}
