import AccessPolicy
import EventLoop
import TLSEngine

/// Connections that have to be looked at again, because what they were let in by has changed, or the clock was set.
struct Reviewing {
  /// The slots that are left. Whoever comes later is judged by what holds now anyway, and is looked at once more where
  /// it comes into one of these.
  fileprivate var slots: Range<Int>
  /// What chains came to: thousands of connections may have been opened with a handful of certificates.
  var verified: [ReverificationKey: VerificationOutcome] = [:]
}

extension Worker {
  /// Connections that are looked at in one turn, at most, and how long it may take: those that move bytes must not
  /// notice. The time is looked at after each few.
  private static let reviewsPerTurn = 256
  private static let reviewTime = Duration.milliseconds(1)
  private static let reviewsPerLook = 2

  /// Begins to look at every connection again. One that is under way is begun anew: what it has seen is old.
  ///
  /// It costs the same however many there are: to list them all would be one long turn.
  func reviewAll() {
    reviewing = connections.count == 0 ? nil : Reviewing(slots: 0..<connections.slotCount)
  }

  /// Whether there are connections that it has to look at again.
  package var isReviewing: Bool { reviewing != nil }

  /// Looks at the next connections.
  func reviewSome() {
    guard let slots = reviewing?.slots else { return }
    let begun = environment.clock.monotonic()
    let end = min(slots.upperBound, slots.lowerBound + Self.reviewsPerTurn)
    for slot in slots.lowerBound..<end {
      reviewing?.slots = slot + 1..<slots.upperBound
      connections.element(inSlot: slot)?.review(self)
      if slot % Self.reviewsPerLook == 0, environment.clock.monotonic() - begun >= Self.reviewTime { break }
    }
    if reviewing?.slots.isEmpty == true { reviewing = nil }
  }
}
