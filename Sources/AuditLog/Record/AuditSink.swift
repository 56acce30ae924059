/// Proof that the log accepted a record, as durably as configured.
///
/// The audit writer alone makes receipts; outside of its file and of tests the initializer must not appear.
package struct AuditReceipt: Hashable, Sendable {
  /// `event.sequence` of the record.
  package let sequence: UInt64

  package init(sequence: UInt64) { self.sequence = sequence }
}

/// Leave to go on without a record: given for one verdict, while records cannot be written, and only where the
/// configuration says `when_unavailable: allow_unlogged`.
///
/// The audit writer alone gives it; outside of its file and of tests the initializer must not appear.
package struct AuditWaiver: Hashable, Sendable {
  /// Why there is no record.
  package let problem: AuditUnavailable

  package init(_ problem: AuditUnavailable) { self.problem = problem }
}

/// What an upstream is dialled on, besides the verdict.
package enum AuditClearance: Hashable, Sendable {
  case recorded(AuditReceipt)
  /// Counted, alarmed, and told in the next `audit-gap` record.
  case waived(AuditWaiver)
}

/// The log could not take a record.
package struct AuditUnavailable: Error, Hashable, Sendable {
  /// What is wrong, for people, without a full stop.
  package var message: String

  package init(message: String) { self.message = message }
}

package typealias AuditAnswer = @Sendable (Result<AuditClearance, AuditUnavailable>) -> Void

/// Something that takes records. Both functions may be called from any thread and never block.
package protocol AuditSink: AnyObject, Sendable {
  /// Takes a record whose loss ends nothing; a lost one is counted and told in an `audit-gap` record.
  func append(_ record: EncodedRecord)

  /// Takes a record that something waits for.
  ///
  /// - Parameter answering: called once, from the sink's thread or from within this call: with a receipt as
  ///   soon as the record is as durable as configured, or with what the configuration says of a log that
  ///   cannot be written. It must be quick and must not call the sink's blocking functions.
  func append(_ record: EncodedRecord, answering: @escaping AuditAnswer)
}
