package import AccessPolicy
package import AuditLog

/// A connection as the log has it, to be judged again.
package struct RecordedConnection: Sendable {
  /// Something that came out otherwise than the log says.
  package struct Difference: Hashable, Sendable {
    package var what: String
    package var recorded: String?
    package var now: String?
  }

  package var eventID: String?
  package var connectionID: String?
  package var time: Timestamp
  package var facts: Facts
  package var cutFields: Set<Field>
  /// What was decided; nil where the handshake failed.
  package var decision: RecordedDecision?
  /// Why the handshake failed; ok where it did not.
  package var verification: ExplanationReport.Verification

  /// - Returns: nil where the record is neither about a decision nor about a failed handshake.
  package static func read(_ record: JSONValue) throws(RecordError) -> RecordedConnection? {
    let id = record["event", "id"]?.text
    if let decision = try RecordedDecision.read(record) {
      return RecordedConnection(
        eventID: id, connectionID: decision.connectionID, time: decision.time, facts: decision.facts,
        cutFields: decision.cutFields, decision: decision, verification: .ok)
    }
    guard let failed = try RecordedHandshakeFailure.read(record) else { return nil }
    return RecordedConnection(
      eventID: id, connectionID: failed.connectionID, time: failed.time, facts: failed.facts, cutFields: [],
      decision: nil,
      verification: .init(
        refusal: failed.reason, error: failed.code, message: failed.message, depth: failed.depth,
        subject: failed.subject))
  }

  /// What the present policies say otherwise.
  package func differences(from explanation: Explanation?) -> [Difference] {
    guard let decision, let now = explanation?.decision else { return [] }
    let compared: [(String, String?, String?)] = [
      ("verdict", decision.verdict.rawValue, now.verdict.rawValue),
      ("reason", decision.reason.rawValue, now.reason.rawValue),
      ("caller", decision.caller?.name, now.caller?.name),
      ("rule", decision.rule, now.rule),
      ("matched", decision.matched.joined(separator: ", "), now.matched.joined(separator: ", ")),
      ("shadow.verdict", decision.shadow.verdict.rawValue, now.shadow.verdict.rawValue),
      ("shadow.rule", decision.shadow.rule, now.shadow.rule),
    ]
    return compared.filter { $0.1 != $0.2 }.map { Difference(what: $0.0, recorded: $0.1, now: $0.2) }
  }
}
