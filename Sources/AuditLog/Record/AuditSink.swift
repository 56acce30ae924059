/// Proof that the log accepted a record: an upstream is dialled only for a connection that has one.
///
/// The audit writer alone makes receipts; outside of its file and of tests the initializer must not appear.
package struct AuditReceipt: Hashable, Sendable {
  /// `event.sequence` of the record.
  package let sequence: UInt64

  package init(sequence: UInt64) { self.sequence = sequence }
}

/// The log could not take a record.
package struct AuditUnavailable: Error, Hashable, Sendable {
  /// What is wrong, for people, without a full stop.
  package var message: String

  package init(message: String) { self.message = message }
}

/// Something that takes records. Both functions may be called from any thread and never block.
package protocol AuditSink: AnyObject, Sendable {
  /// Takes a record whose loss ends nothing; a lost one is counted and told in an `audit-gap` record.
  func append(_ record: EncodedRecord)

  /// Takes a record that something waits for.
  ///
  /// - Parameter answering: called once, from the sink's thread or from within this call, with a receipt as
  ///   soon as the record is as durable as configured. It must be quick and must not call the sink's
  ///   blocking functions.
  func append(
    _ record: EncodedRecord,
    answering: @escaping @Sendable (Result<AuditReceipt, AuditUnavailable>) -> Void)
}
