package import AuditLog
package import EventLoop

/// What other threads tell a worker.
package enum WorkerMessage: Sendable {
  /// The audit writer's answer to the verdict record of a connection.
  case recordAnswered(Token, Result<AuditClearance, AuditUnavailable>)
  /// A name was resolved anew.
  case resolved(UpstreamAddresses.Name, Resolution)
  /// Whether the worker's loop turns: calls the answer on its thread.
  case ping(@Sendable () -> Void)
  /// A new snapshot holds.
  case adopt(SnapshotChange)
  /// The wall clock was set: what rests on its moments has to be looked at.
  case clockWasSet
  /// Stop accepting; end when the last connection has ended.
  case drain
  /// End the connections that are still there.
  case endConnections
}
