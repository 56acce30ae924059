package import AccessPolicy

/// A decision as the log holds it: enough to judge the connection again.
package struct RecordedDecision: Hashable, Sendable {
  /// `event.id`.
  package var id: String?
  /// The instant that was judged at.
  package var time: Timestamp
  package var connectionID: String
  package var facts: Facts
  package var verdict: Verdict
  package var reason: VerdictReason
  package var rule: String?
  package var caller: Caller?
  package var matched: [String]
  package var shadow: Decision.Shadow
  /// Fields whose values were longer than the log holds: a rule that asks for one cannot be judged again.
  package var cutFields: Set<Field>

  /// - Returns: nil where the record is about something else than a decision of the policies. A CancelRequest is:
  ///   it may do what its connection may, and other rules judge that connection.
  package static func read(_ record: JSONValue) throws(RecordError) -> RecordedDecision? {
    let action = record["event", "action"]?.text
    guard
      action == AuditAction.connectionAllowed.rawValue || action == AuditAction.connectionDenied.rawValue
    else { return nil }
    guard record["countersign", "postgres", "cancels"] == nil else { return nil }
    return try RecordedDecision(record)
  }

  init(
    id: String?, time: Timestamp, connectionID: String, facts: Facts, verdict: Verdict, reason: VerdictReason,
    rule: String?, caller: Caller?, matched: [String], shadow: Decision.Shadow, cutFields: Set<Field>
  ) {
    self.id = id
    self.time = time
    self.connectionID = connectionID
    self.facts = facts
    self.verdict = verdict
    self.reason = reason
    self.rule = rule
    self.caller = caller
    self.matched = matched
    self.shadow = shadow
    self.cutFields = cutFields
  }

  private init(_ record: JSONValue) throws(RecordError) {
    let reader = RecordReader(record: record)
    guard let time = Timestamp(rfc3339: try reader.text("@timestamp")) else {
      throw RecordError(member: "@timestamp", message: "is no RFC 3339 instant")
    }
    guard record["countersign", "schema"]?.integer == RecordEncoder.ownSchema else {
      throw RecordError(
        member: "countersign.schema",
        message: "is not \(RecordEncoder.ownSchema): another version wrote the record")
    }
    self.time = time
    self.id = record["event", "id"]?.text
    self.connectionID = try reader.text("countersign", "connection", "id")
    self.facts = try reader.facts()
    self.verdict = try reader.choice("countersign", "verdict")
    self.reason = try reader.choice("event", "reason")
    self.rule = record["rule", "name"]?.text
    self.matched = record["countersign", "matched"]?.texts ?? []
    self.shadow = Decision.Shadow(
      verdict: try reader.choice("countersign", "shadow", "verdict"),
      reason: try reader.choice("countersign", "shadow", "reason"),
      rule: record["countersign", "shadow", "rule"]?.text)
    self.caller = reader.caller()
    self.cutFields = try reader.cutFields()
  }
}

/// A record that does not hold what it should.
package struct RecordError: Error, Hashable, Sendable {
  /// The path of the member, with dots.
  package var member: String
  package var message: String
}
