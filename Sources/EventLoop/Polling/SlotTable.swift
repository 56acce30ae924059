/// Elements by token. Slots are used again, tokens never.
package struct SlotTable<Element> {
  private struct Slot {
    var generation: UInt32 = 0
    var element: Element?
  }

  private var slots: [Slot] = []
  private var free: [UInt32] = []
  /// How many elements it holds.
  package private(set) var count = 0

  /// An empty table.
  package init() {}

  /// Puts an element into a free slot.
  package mutating func insert(_ element: Element) -> Token {
    count += 1
    if let slot = free.popLast() {
      slots[Int(slot)].element = element
      return Token(slot: slot, generation: slots[Int(slot)].generation)
    }
    // Descriptors are 31-bit numbers: a table can not come near 2^32 live connections.
    precondition(slots.count < Int(UInt32.max), "slot table is full")
    slots.append(Slot(element: element))
    return Token(slot: UInt32(slots.count - 1), generation: 0)
  }

  /// The element of a token; nil once it was removed, whoever has the slot now.
  package subscript(token: Token) -> Element? {
    let index = Int(token.slot)
    guard index < slots.count, slots[index].generation == token.generation else { return nil }
    return slots[index].element
  }

  /// Changes the element in place; nil if the token is stale.
  package mutating func update<Result>(_ token: Token, _ body: (inout Element) -> Result) -> Result? {
    let index = Int(token.slot)
    guard index < slots.count, slots[index].generation == token.generation,
      var element = slots[index].element.take()
    else { return nil }
    defer { slots[index].element = element }
    return body(&element)
  }

  /// Takes an element out; nil if the token is stale. A slot that went through all its generations is not
  /// used again: the next one would answer to the first token.
  @discardableResult
  package mutating func remove(_ token: Token) -> Element? {
    let index = Int(token.slot)
    guard index < slots.count, slots[index].generation == token.generation,
      let element = slots[index].element.take()
    else { return nil }
    count -= 1
    if token.generation < .max {
      slots[index].generation = token.generation + 1
      free.append(token.slot)
    }
    return element
  }

  /// Visits every element, in the order of slots.
  package func forEach(_ body: (Token, Element) -> Void) {
    for (index, slot) in slots.enumerated() {
      guard let element = slot.element else { continue }
      body(Token(slot: UInt32(index), generation: slot.generation), element)
    }
  }
}
