package import AccessPolicy

/// A handshake that failed, as the log holds it.
package struct RecordedHandshakeFailure: Hashable, Sendable {
  package var time: Timestamp
  package var connectionID: String
  /// What was known by then.
  package var facts: Facts
  package var reason: HandshakeReason
  /// `error.code`, such as `X509_V_ERR_CERT_HAS_EXPIRED`.
  package var code: String?
  package var message: String?
  /// Which certificate failed: 0 is the client's own.
  package var depth: Int?
  package var subject: String?

  /// - Returns: nil where the record is about something else.
  package static func read(_ record: JSONValue) throws(RecordError) -> RecordedHandshakeFailure? {
    guard record["event", "action"]?.text == AuditAction.handshakeFailed.rawValue else { return nil }
    let reader = RecordReader(record: record)
    guard let time = Timestamp(rfc3339: try reader.text("@timestamp")) else {
      throw RecordError(member: "@timestamp", message: "is no RFC 3339 instant")
    }
    return RecordedHandshakeFailure(
      time: time, connectionID: try reader.text("countersign", "connection", "id"),
      facts: try reader.facts(), reason: try reader.choice("event", "reason"),
      code: record["error", "code"]?.text, message: record["error", "message"]?.text,
      depth: record["countersign", "failure", "depth"]?.integer,
      subject: record["countersign", "failure", "subject"]?.text)
  }
}
