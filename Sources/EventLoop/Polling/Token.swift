/// Names one life of one slot. A connection that was closed and its successor in the same slot have different
/// tokens, so an event, timer or message that comes late finds nothing instead of the wrong connection.
package struct Token: Hashable, Sendable {
  /// The index in the table; `UInt32.max` is never given to a connection.
  package let slot: UInt32
  /// Which life of the slot.
  package let generation: UInt32

  /// The token of a slot in one of its lives.
  package init(slot: UInt32, generation: UInt32) {
    self.slot = slot
    self.generation = generation
  }

  /// Reads back what `raw` wrote.
  package init(raw: UInt64) {
    self.slot = UInt32(truncatingIfNeeded: raw >> 32)
    self.generation = UInt32(truncatingIfNeeded: raw)
  }

  /// One number for the poller: the slot above, the generation below.
  package var raw: UInt64 { UInt64(slot) << 32 | UInt64(generation) }

  /// Tokens for what is not a connection (listeners, the mailbox): no table ever gives these out.
  package static func reserved(_ number: UInt32) -> Token {
    Token(slot: .max, generation: number)
  }
}
