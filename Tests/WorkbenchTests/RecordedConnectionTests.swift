import AccessPolicy
import AuditLog
import Testing
import Workbench

/// Connections of an audit log, judged again.
struct RecordedConnectionTests {
  private static let encoder = RecordEncoder(observer: Observer(hostname: "gate", version: "1")) { bytes in
    [UInt8](repeating: UInt8(truncatingIfNeeded: bytes.count), count: 32)
  }

  private static func context(_ facts: Facts) -> ConnectionContext {
    ConnectionContext(id: "c-1", start: Make.now, listener: "db", upstream: "pg", facts: facts)
  }

  private static func record(_ event: AuditEvent) throws -> RecordedConnection? {
    let encoded = encoder.encode(event, id: 7, at: Make.now)
    let line = encoded.bytes.last == UInt8(ascii: "\n") ? encoded.bytes.dropLast() : encoded.bytes[...]
    return try RecordedConnection.read(try JSONParser.parse(line))
  }

  private static func decision(_ facts: Facts, _ policy: Policy) -> AuditEvent {
    .decision(
      JudgedConnection(
        context: context(facts), decision: policy.decide(facts, at: Make.now),
        destination: AuditDestination(address: "127.0.0.1:5432")))
  }

  private func report(_ event: AuditEvent, _ text: String) throws -> ExplanationReport {
    let recorded = try #require(try Self.record(event))
    let (policy, documents) = try Make.policy(text)
    return ExplanationReport(
      at: recorded.time, verification: recorded.verification, facts: recorded.facts,
      explanation: policy.explain(recorded.facts, at: recorded.time), documents: documents, recorded: recorded
    )
  }

  @Test func theSamePoliciesSayTheSame() throws {
    let report = try report(Self.decision(Make.orders, Make.policy(Make.workers).policy), Make.workers)
    #expect(report.outcome == .allow)
    #expect(report.differences.isEmpty)
    #expect(report.text.contains("the present policies say the same"))
    let json = try Make.object(try report.json())
    #expect(json.text("recorded.verdict") == "allow")
    #expect(json.text("recorded.connection") == "c-1")
    #expect(json.text("recorded.rule") == "orders")
    #expect((json["differences"] as? [Any])?.isEmpty == true)
  }

  @Test func otherPoliciesAreCompared() throws {
    let edited = Make.workers.replacing("orders_ro", with: "orders_rw")
    let report = try report(Self.decision(Make.orders, Make.policy(Make.workers).policy), edited)
    #expect(report.outcome == .deny)
    #expect(report.differences.map(\.what) == ["verdict", "reason", "rule", "matched"])
    #expect(
      report.text.contains("  verdict: recorded allow, now deny\n  reason: recorded rule, now default\n"))
  }

  @Test func aFailedHandshakeIsToldFromItsRecord() throws {
    let failed = AuditEvent.handshakeFailed(
      .init(
        context: Self.context(Make.orders), reason: .certificateUntrusted,
        code: "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
        message: "unable to get local issuer certificate",
        depth: 1, subject: "CN=CA"))
    let report = try report(failed, Make.workers)
    #expect(report.outcome == .deny)
    #expect(report.reason == "certificate_untrusted")
    #expect(report.explanation == nil)
    #expect(report.verification.depth == 1)
    #expect(report.text.contains("certificate 1 above it, subject CN=CA; no policy was asked"))
    #expect(report.text.contains("the handshake failed, whatever the policies say"))
    #expect(try Make.object(try report.json()).text("recorded.reason") == "certificate_untrusted")
  }

  @Test func otherRecordsAreNone() throws {
    #expect(try Self.record(.gatewayStopping(.init(cause: "SIGTERM", connections: 0))) == nil)
  }

  static let cuts: [(String, ExplanationReport.Outcome)] = [
    // The user's name is cut, and the one rule that could allow asks for it.
    (Make.workers, .undecidable),
    // Another rule allows whatever the name is.
    (Make.workers + "  - {name: all, action: allow}\n", .allow),
    // A rule that may deny asks for it.
    (
      Make.workers
        + "  - {name: all, action: allow}\n  - {name: no, action: deny, when: {postgres_user: x}}\n",
      .undecidable
    ),
    // It would, if not for the caller.
    (
      Make.workers + "  - {name: all, action: allow}\n"
        + "  - {name: no, action: deny, callers: [printer], when: {postgres_user: x}}\n",
      .allow
    ),
    // A deny that holds anyway.
    (Make.workers + "  - {name: no, action: deny}\n", .deny),
    // On trial, it does not matter.
    (
      Make.workers + "  - {name: all, action: allow}\n"
        + "  - {name: no, action: deny, mode: shadow, when: {postgres_user: x}}\n",
      .allow
    ),
  ]

  @Test(arguments: cuts)
  func whatTheLogHasCutIsNotGuessed(_ text: String, _ outcome: ExplanationReport.Outcome) throws {
    var facts = Make.orders
    facts[.postgresUser] = .text(String(repeating: "u", count: 5000))
    let report = try report(Self.decision(facts, Make.policy(text).policy), text)
    #expect(report.outcome == outcome)
    #expect(report.undecided?.fields == [.postgresUser])
    let json = try Make.object(try report.json())
    #expect(json.text("verdict") == outcome.rawValue)
    #expect(json["cut_fields"] as? [String] == ["postgres_user"])
    if outcome == .undecidable {
      #expect(report.text.hasPrefix("UNDECIDABLE: the log has cut the value of postgres_user"))
      #expect(report.differences.isEmpty)
    }
  }

  @Test func aNameThatWasCutNamesNobody() throws {
    var facts = Make.orders
    facts[.sanURI] = .texts(["spiffe://acme.example/worker/" + String(repeating: "w", count: 5000)])
    let report = try report(Self.decision(facts, Make.policy(Make.workers).policy), Make.workers)
    #expect(report.outcome == .undecidable)
    #expect(report.undecided?.isCallerOpen == true)
    #expect(report.text.contains("caller    undecidable"))
  }
}
