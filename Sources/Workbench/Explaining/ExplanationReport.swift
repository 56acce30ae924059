package import AccessPolicy

/// What `explain` says of one connection, to people and to programs.
package struct ExplanationReport: Sendable {
  /// What the verification of the chain, or the handshake as a whole, came to.
  package struct Verification: Hashable, Sendable {
    /// Why there was no verdict of a policy; nil where the chain is verified.
    package var refusal: HandshakeReason?
    /// OpenSSL's name of the error.
    package var error: String?
    package var message: String?
    /// Which certificate failed: 0 is the client's own.
    package var depth: Int?
    /// The subject of the certificate that failed.
    package var subject: String?

    package static let ok = Verification(refusal: nil)

    package init(
      refusal: HandshakeReason?, error: String? = nil, message: String? = nil, depth: Int? = nil,
      subject: String? = nil
    ) {
      self.refusal = refusal
      self.error = error
      self.message = message
      self.depth = depth
      self.subject = subject
    }
  }

  package enum Outcome: String, Sendable { case allow, deny, undecidable }

  package var at: Timestamp
  package var verification: Verification
  package var facts: Facts
  /// nil where the chain is not verified: then no policy is asked.
  package var explanation: Explanation?
  /// Fields that some policy asks for and of which nothing is known here.
  package var unknownFields: [Field]
  /// What the log said, where the connection comes from there.
  package var recorded: RecordedConnection?
  /// Where the log has cut values that decide.
  package var undecided: Undecided?
  /// Which entry of `hosts` the client gets, as people name it; nil where there are none.
  package var host: String?

  /// - Parameter documents: what the policy was compiled from, in the same order.
  package init(
    at: Timestamp, verification: Verification, facts: Facts, explanation: Explanation?,
    documents: [PolicyDocument], recorded: RecordedConnection? = nil, host: String? = nil
  ) {
    self.at = at
    self.verification = verification
    self.facts = facts
    self.explanation = verification.refusal == nil ? explanation : nil
    self.recorded = recorded
    self.host = host
    unknownFields = Self.asked(documents).filter {
      $0.kind != .clock && !$0.isCertified && facts[$0] == nil
    }
    undecided = self.explanation.flatMap { explanation in
      Undecided(explanation, documents, cut: recorded?.cutFields ?? [])
    }
  }

  package var outcome: Outcome {
    if undecided?.isVerdictOpen == true { return .undecidable }
    return explanation?.decision.verdict == .allow ? .allow : .deny
  }

  /// The closed code that the log uses.
  package var reason: String {
    verification.refusal?.rawValue ?? explanation?.decision.reason.rawValue
      ?? FailureReason.internal.rawValue
  }

  private static func asked(_ documents: [PolicyDocument]) -> [Field] {
    var fields: Set<Field> = []
    for document in documents {
      for condition in document.callers.flatMap(\.match) { fields.insert(condition.field) }
      for rule in document.rules {
        for condition in rule.when + rule.unless { fields.insert(condition.field) }
      }
    }
    return Field.allCases.filter(fields.contains)
  }
}
