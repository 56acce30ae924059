import AccessPolicy
import AuditLog
import GatewayConfiguration

/// Logs and policies for tests of the commands that work on them.
enum Log {
  static let start = Timestamp(seconds: 1_800_000_000)
  static let encoder = RecordEncoder(
    observer: Observer(hostname: "gate-1", version: "0.1.0"),
    digest: { _ in [UInt8](repeating: 7, count: 32) })

  static func policy(_ text: String) -> Policy? {
    guard let document = PolicyReader.read(Array(text.utf8), file: "p.yaml").document else { return nil }
    return Policy.compile([document], listeners: nil).policy
  }

  static func facts(_ uri: String?, listener: String = "orders-db", _ more: [Field: FactValue] = [:]) -> Facts
  {
    var facts = Facts()
    if let uri { facts[.sanURI] = .texts([uri]) }
    facts[.listener] = .text(listener)
    facts[.upstream] = .text("back")
    facts[.protocol] = .text("tcp")
    facts[.sourceIP] = .address(IPAddress(v4: 0x0a01_0203))
    facts[.sourcePort] = .integer(50_000)
    facts[.sha256] = .text(String(repeating: "ab", count: 32))
    for (field, value) in more { facts[field] = value }
    return facts
  }

  static func worker(_ name: String, listener: String = "orders-db", _ more: [Field: FactValue] = [:])
    -> Facts
  {
    facts("spiffe://acme.example/worker/\(name)", listener: listener, more)
  }

  /// A line of the log: the connection as the policy judges it.
  static func line(_ facts: Facts, _ policy: Policy, at time: Timestamp = start, id: Int = 1) -> [UInt8] {
    let decision = policy.decide(facts, at: time)
    let judged = JudgedConnection(
      context: ConnectionContext(
        id: "c-\(id)", start: time, listener: "orders-db", upstream: "back", facts: facts),
      decision: decision, destination: AuditDestination(address: "127.0.0.1:1"))
    return encoder.encode(.decision(judged), id: UInt128(id), at: time).bytes
  }

  static func handshakeFailed() -> [UInt8] {
    let event = AuditEvent.HandshakeFailed(
      context: ConnectionContext(
        id: "h", start: start, listener: "orders-db", upstream: "back", facts: facts(nil)),
      reason: .certificateMissing, message: "no certificate")
    return encoder.encode(.handshakeFailed(event), id: 9, at: start).bytes
  }
}
