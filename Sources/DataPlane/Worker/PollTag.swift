package import EventLoop

/// What an event of the poller is about, packed into its 64 bits.
///
/// Slot and generation name a connection, never a bare descriptor, so that an event for a closed descriptor
/// cannot reach its successor. Bits 31 and 30 of the slot tell the upstream's socket, and those
/// that are still being connected, from the client's; reserved tokens stand for what is no connection.
package enum PollTag: Hashable, Sendable {
  case client(Token)
  case upstream(Token)
  /// One of the sockets that are being connected to the upstream. They are few, and each is asked: an event of
  /// one that lost must not be taken for news of the one that won.
  case attempt(Token)
  case listener(Int)
  case mailbox
  /// Never of the poller: the timer of those whose listener is gone.
  case retirement

  /// Of timers alone: what limits kept out is to be told.
  case limitSummaries

  private static let upstreamBit: UInt32 = 1 << 31
  private static let attemptBit: UInt32 = 1 << 30
  private static let mailboxNumber = UInt32.max
  private static let retirementNumber = UInt32.max - 1
  private static let limitSummariesNumber = UInt32.max - 2

  package var raw: UInt64 {
    switch self {
    case .client(let token): token.raw
    case .upstream(let token):
      Token(slot: token.slot | Self.upstreamBit, generation: token.generation).raw
    case .attempt(let token):
      Token(slot: token.slot | Self.attemptBit, generation: token.generation).raw
    case .listener(let index): Token.reserved(UInt32(truncatingIfNeeded: index)).raw
    case .mailbox: Token.reserved(Self.mailboxNumber).raw
    case .retirement: Token.reserved(Self.retirementNumber).raw
    case .limitSummaries: Token.reserved(Self.limitSummariesNumber).raw
    }
  }

  /// As timers have it.
  package var token: Token { Token(raw: raw) }

  package init(raw: UInt64) {
    let token = Token(raw: raw)
    if token.slot == Token.reserved(0).slot {
      switch token.generation {
      case Self.mailboxNumber: self = .mailbox
      case Self.retirementNumber: self = .retirement
      case Self.limitSummariesNumber: self = .limitSummaries
      default: self = .listener(Int(token.generation))
      }
    } else if token.slot & Self.upstreamBit != 0 {
      self = .upstream(Token(slot: token.slot & ~Self.upstreamBit, generation: token.generation))
    } else if token.slot & Self.attemptBit != 0 {
      self = .attempt(Token(slot: token.slot & ~Self.attemptBit, generation: token.generation))
    } else {
      self = .client(token)
    }
  }
}
