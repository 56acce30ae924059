import AuditLog

/// A limit that a connection met.
struct ExceededLimit {
  /// The configuration's key, or the error of accept(2).
  var name: String
  var value: Int
  var scope: AuditEvent.LimitReached.Scope
}
