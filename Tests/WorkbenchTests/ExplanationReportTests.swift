import AccessPolicy
import AuditLog
import Testing
import Workbench

/// What `explain` prints.
struct ExplanationReportTests {
  private func report(
    _ facts: Facts, _ text: String = Make.workers, recorded: RecordedConnection? = nil,
    verification: ExplanationReport.Verification = .ok
  ) throws -> ExplanationReport {
    let (policy, documents) = try Make.policy(text)
    return ExplanationReport(
      at: Make.now, verification: verification, facts: facts,
      explanation: policy.explain(facts, at: Make.now),
      documents: documents, recorded: recorded)
  }

  @Test func peopleReadTheVerdictFirst() throws {
    #expect(
      try report(Make.orders).text == """
        ALLOW: rule 'orders' at p.yaml:9:11
          caller    worker/orders (workers)
          shadow    with the shadow rules enforced: deny by rule 'trial' at p.yaml:13:11
          chain     verified
          at        2027-01-15T08:00:00Z

        Callers, the first that matches:
          + worker/{worker}  (p.yaml:3:11)
              matches: worker/orders
          - printer  (p.yaml:6:11)
              not asked: an earlier entry settled it

        Rules:
          + orders  [allow]  (p.yaml:9:11)
              matches
          + trial  [deny, shadow]  (p.yaml:13:11)
              matches

        Facts:
          san_uri        spiffe://acme.example/worker/orders
          listener       db
          postgres_user  orders_ro
          not known, and asked by the policies: source_ip

        """)
  }

  @Test func programsFindEveryMember() throws {
    var facts = Make.orders
    facts[.postgresUser] = .text("orders_rw")
    facts[.sourceIP] = .address(IPAddress(v4: 0x0a00_0001))
    facts[.keyBits] = .integer(256)
    let json = try Make.object(try report(facts).json())
    #expect(json.text("verdict") == "deny")
    #expect(json.text("reason") == "default")
    #expect(json.text("caller") == "worker/orders")
    #expect(json["groups"] as? [String] == ["workers"])
    #expect(json["rule"] != nil && json.text("rule") == nil)
    #expect(json["matched"] as? [String] == [])
    #expect(json.text("shadow.verdict") == "deny")
    #expect(json.text("verification.ok") == "1")
    #expect(
      (json["verification"] as? [String: Any])?.keys.sorted() == [
        "depth", "error", "message", "ok", "subject",
      ])
    #expect(json.text("facts.key_bits") == "256")
    #expect(
      (json["facts"] as? [String: Any])?["san_uri"] as? [String] == ["spiffe://acme.example/worker/orders"])
    let rules = try #require(json["rules"] as? [[String: Any]])
    #expect(rules.map { $0.text("name") } == ["orders", "trial"])
    #expect(rules.map { $0.text("matched") } == ["0", "0"])
    #expect(rules[0].text("failed.field") == "postgres_user")
    #expect(rules[0].text("failed.expected") == "orders_ro")
    #expect(rules[0].text("failed.value") == "orders_rw")
    #expect(rules[1].text("failed.field") == "unless.source_ip")
    #expect(json.text("recorded") == nil)
  }

  @Test func aChainThatFailsAsksNoPolicy() throws {
    let report = try report(
      Make.orders,
      verification: .init(
        refusal: .certificateExpired, error: "X509_V_ERR_CERT_HAS_EXPIRED",
        message: "certificate has expired",
        depth: 0, subject: "CN=\u{1b}[31m"))
    #expect(report.outcome == .deny)
    #expect(
      report.text.hasPrefix(
        """
        DENY: certificate_expired: X509_V_ERR_CERT_HAS_EXPIRED: certificate has expired
          chain     not verified: the client's own certificate, subject CN=\\u{1b}[31m; no policy was asked
        """))
    let json = try Make.object(try report.json())
    #expect(json.text("verdict") == "deny")
    #expect(json.text("reason") == "certificate_expired")
    #expect(json.text("caller") == nil)
    #expect(json.text("verification.error") == "X509_V_ERR_CERT_HAS_EXPIRED")
    #expect(json.text("verification.depth") == "0")
    #expect(json.text("verification.ok") == "0")
    #expect((json["rules"] as? [Any])?.isEmpty == true)
  }

  static let reasons: [(Facts, String)] = [
    (
      Make.facts((.subjectCN, .texts(["nobody"]))),
      "caller_unmapped: no entry of 'callers' matches the certificate"
    ),
    (
      Make.facts((.sanURI, .texts(["a", "b"].map { "spiffe://acme.example/worker/\($0)" }))),
      "caller_ambiguous: the certificate names worker/a and worker/b"
    ),
    (Make.facts((.subjectCN, .texts(["printer"]))), "default: no rule allows it"),
  ]

  @Test(arguments: reasons)
  func everyReasonHasItsSentence(_ facts: Facts, _ sentence: String) throws {
    #expect(try report(facts).text.hasPrefix("DENY: \(sentence)\n"))
  }
}
