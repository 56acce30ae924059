import AuditLog

/// Says on standard error when records cease to be written, and when they are written again.
struct AuditAlarm {
  private let allowsUnlogged: Bool
  private let say: @Sendable (String) -> Void
  /// It was said that something is wrong, and not yet that it is over.
  private(set) var isRaised = false

  init(allowsUnlogged: Bool, say: @escaping @Sendable (String) -> Void) {
    self.allowsUnlogged = allowsUnlogged
    self.say = say
  }

  /// Says it once, however often the same trouble is met.
  mutating func raise(_ problem: AuditUnavailable) {
    if isRaised { return }
    isRaised = true
    say(
      "countersign: alarm: \(problem.message); "
        + (allowsUnlogged
          ? "new connections are let in WITHOUT A RECORD (audit.when_unavailable: allow_unlogged)"
          : "new connections are refused until it can (audit.when_unavailable: refuse)"))
  }

  mutating func end(_ name: String, _ loss: AuditStatus.Loss) {
    guard isRaised || !loss.isNothing else { return }
    isRaised = false
    say(
      "countersign: the audit log \(name) is written again: \(loss.count) records were lost, "
        + "\(loss.unlogged) connections were let in without a record")
  }

  /// Something that keeps no record from being written.
  func tell(_ text: String) { say("countersign: \(text)") }
}
