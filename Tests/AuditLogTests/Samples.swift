import AccessPolicy
import AuditLog
import Foundation

/// Events of every action, with everything known that can be known.
enum Sample {
  static let time = Timestamp(nanoseconds: 1_795_529_468_123_456_789)  // 2026-11-24T14:11:08.123456789Z
  static let start = Timestamp(nanoseconds: 1_795_529_468_100_000_000)
  static let encoder = RecordEncoder(
    observer: Observer(hostname: "gate-1", version: "0.1.0"), digest: digest)

  /// Not a cryptographic hash: 32 bytes that depend on every byte and its place.
  static let digest: Digest = { bytes in
    var state: [UInt64] = [0x9e37_79b9, 0x7f4a_7c15, 0xbf58_476d, 0x94d0_49bb]
    for (index, byte) in bytes.enumerated() {
      let lane = index % 4
      state[lane] = (state[lane] ^ UInt64(byte) ^ state[(lane + 3) % 4]) &* 0x100_0000_01b3 &+ UInt64(index)
    }
    for round in 0..<8 {
      state[round % 4] = (state[round % 4] ^ state[(round + 1) % 4]) &* 0xff51_afd7_ed55_8ccd
    }
    return state.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
  }

  static var facts: Facts {
    var facts = Facts()
    for field in Field.allCases { facts[field] = value(field) }
    // Derived when a connection is judged; a connection's facts do not hold them.
    facts[.validFor] = nil
    facts[.time] = nil
    return facts
  }

  static func value(_ field: Field) -> FactValue {
    switch field {
    case .sourceIP: .address(IPAddress(v4: 0x0a01_0203))
    case .clientIP: .address(IPAddress(v4: 0xc000_0207))
    case .sourcePort: .integer(50123)
    case .clientPort: .integer(40001)
    case .notBefore: .instant(Timestamp(seconds: 1_790_000_000))
    case .notAfter: .instant(Timestamp(nanoseconds: .max))
    case .sanIP: .addresses([IPAddress(v4: 0x0a01_0203), IPAddress(v4: 0x0a01_0204)])
    case .keyBits: .integer(256)
    case .chainLength: .integer(2)
    case .resumed: .flag(false)
    case .protocol: .text("postgres")
    case .listener: .text("orders-db")
    case .upstream: .text("orders")
    default:
      switch field.kind {
      case .texts: .texts(["\(field.name) one", "\(field.name):two"])
      default: .text("\(field.name) value")
      }
    }
  }

  static func context(_ facts: Facts = facts) -> ConnectionContext {
    ConnectionContext(
      id: "c-1", start: start, listener: "orders-db", upstream: "orders", facts: facts,
      serverIP: IPAddress(v4: 0x0a01_0001), serverPort: 6432)
  }

  static func decision(_ verdict: Verdict = .allow) -> Decision {
    Decision(
      verdict: verdict, reason: verdict == .allow ? .rule : .default,
      rule: verdict == .allow ? "orders-reads" : nil, ruleset: verdict == .allow ? "Policies/a.yaml" : nil,
      caller: Caller(name: "worker/orders", groups: ["workers"], captures: ["worker": "orders"]),
      matched: verdict == .allow ? ["log-all", "orders-reads"] : [],
      shadow: .init(verdict: .deny, reason: .rule, rule: "no-nights"))
  }

  static func judged(_ verdict: Verdict = .allow, facts: Facts = facts) -> JudgedConnection {
    JudgedConnection(
      context: context(facts), decision: decision(verdict),
      destination: AuditDestination(address: "db.internal:5432", ip: IPAddress(v4: 0x0a02_0001), port: 5432),
      policyVersion: "ab12")
  }

  static let ending = AuditEvent.Ending(
    by: .client, bytesFromClient: 10, bytesFromUpstream: .max, truncated: true,
    duration: .milliseconds(1500))

  static let finding = Diagnostic(
    .error, at: SourceLocation(file: "p.yaml", line: 3, column: 5), code: "unknown-key",
    message: "unknown key “wen”", hint: "did you mean “when”?")

  static let events: [AuditEvent] = [
    .decision(judged()),
    .decision(judged(.deny)),
    .handshakeFailed(
      .init(
        context: context(), reason: .certificateExpired, code: "X509_V_ERR_CERT_HAS_EXPIRED",
        message: "certificate has expired", depth: 0, subject: "CN=orders")),
    .connectionClosed(.init(connection: judged(), reason: .clientClosed, ending: ending)),
    .connectionRevoked(
      .init(
        connection: judged(), reason: .policyChanged, change: "rule orders-reads was removed",
        judgedAgain: decision(.deny), ending: ending)),
    .upstreamFailed(
      .init(
        connection: judged(), reason: .upstreamUnreachable, code: "ECONNREFUSED",
        message: "connect: Connection refused", duration: .milliseconds(2))),
    .limitReached(
      .init(limit: "max_connections", value: 10_000, scope: .gateway, context: context(), count: 7)),
    .configurationLoaded(
      .init(
        files: [.init(path: "countersign.yaml", sha256: "00ff")], version: "ab12", listeners: 1, callers: 2,
        rules: 3)),
    .configurationRejected(
      .init(files: [.init(path: "countersign.yaml", sha256: nil)], findings: [finding])),
    .gatewayStarted(.init(listeners: [.init(name: "orders-db", address: "0.0.0.0:6432")], workers: 2)),
    .gatewayStopping(.init(cause: "SIGTERM", connections: 4)),
    .auditGap(.init(lost: 12, cause: "write: No space left on device", code: "ENOSPC", since: start)),
  ]

  static func record(_ event: AuditEvent, id: UInt128 = 1, at time: Timestamp = time) -> EncodedRecord {
    encoder.encode(event, id: id, at: time)
  }

  /// The record by a parser that is not ours.
  static func json(_ event: AuditEvent) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(record(event).bytes))
    return object as? [String: Any] ?? [:]
  }

  static func closed(_ number: Int) -> AuditEvent {
    var judged = judged()
    judged.context.id = "c-\(number)"
    return .connectionClosed(.init(connection: judged, reason: .clientClosed, ending: ending))
  }
}

extension [String: Any] {
  subscript(path path: String) -> Any? {
    var value: Any? = self
    for name in path.split(separator: ".") { value = (value as? [String: Any])?[String(name)] }
    return value
  }
}
