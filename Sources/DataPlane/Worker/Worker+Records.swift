import AccessPolicy
import AuditLog
import EventLoop

extension Worker {
  /// Hands a record over that nobody waits for.
  func record(_ event: AuditEvent) {
    environment.audit.append(encode(event))
  }

  /// Hands a verdict over; the answer comes back by mailbox, and only then is the upstream dialled.
  func record(_ event: AuditEvent, answering token: Token) {
    let mailbox = mailbox
    environment.audit.append(encode(event)) { mailbox.post(.recordAnswered(token, $0)) }
  }

  private func encode(_ event: AuditEvent) -> EncodedRecord {
    environment.encoder.encode(event, id: RandomID.number(), at: wallClock)
  }

  /// The wall clock's time, for certificates, rules and records.
  var wallClock: Timestamp { environment.clock.wall() }
}
