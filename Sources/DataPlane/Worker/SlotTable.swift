import EventLoop

/// Elements by token. Slots are used again, tokens never.
///
/// Every event of the loop asks it for a connection: it stands in the module of those, since the compiler makes
/// generic code fit one type within a module alone.
struct SlotTable<Element> {
  private struct Slot {
    var generation: UInt32 = 0
    var element: Element?
  }

  private var slots: [Slot] = []
  private var free: [UInt32] = []
  /// How many elements it holds.
  private(set) var count = 0
  /// How many slots there are, free ones too.
  var slotCount: Int { slots.count }

  /// Puts an element into a free slot.
  mutating func insert(_ element: Element) -> Token {
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

  /// The element in a slot below ``slotCount``; nil where the slot is free.
  func element(inSlot slot: Int) -> Element? { slots[slot].element }

  /// The element of a token; nil once it was removed, whoever has the slot now.
  subscript(token: Token) -> Element? {
    let index = Int(token.slot)
    guard index < slots.count, slots[index].generation == token.generation else { return nil }
    return slots[index].element
  }

  /// Takes an element out; nil if the token is stale. A slot that went through all its generations is not
  /// used again: the next one would answer to the first token.
  @discardableResult
  mutating func remove(_ token: Token) -> Element? {
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
  func forEach(_ body: (Token, Element) -> Void) {
    for index in slots.indices {
      guard let element = slots[index].element else { continue }
      body(Token(slot: UInt32(index), generation: slots[index].generation), element)
    }
  }
}
