import AccessPolicy

extension Worker {
  /// What the present policy says.
  func decide(_ facts: Facts, at now: Timestamp) -> Decision {
    renewDecisions()
    return decisions.decide(facts, at: now)
  }

  /// When the present policy changes by time alone, for whomever.
  func nextChange(after now: Timestamp) -> Timestamp? {
    renewDecisions()
    return decisions.nextChange(after: now)
  }

  /// What another policy said is never asked again.
  private func renewDecisions() {
    if decisions.policy !== snapshot.policy { decisions = DecisionMemo(snapshot.policy) }
  }
}
