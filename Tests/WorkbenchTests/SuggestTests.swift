import AccessPolicy
import AuditLog
import GatewayConfiguration
import Testing

@testable import Workbench

@Suite struct SuggestTests {
  /// Everybody is let in.
  static let open = """
    version: 1
    callers: [{ name: anybody, match: { sha256: { present: true } } }]
    rules: [{ name: learn, action: allow }]

    """

  static func suggest(
    _ facts: [Facts], _ options: Suggestion.Options = .init(), under text: String = open
  ) throws -> (Proposal, [[UInt8]]) {
    let policy = try #require(Log.policy(text))
    let lines = facts.enumerated().map { Log.line($0.element, policy, id: $0.offset) }
    var suggestion = try #require(Suggestion(options))
    for (index, line) in lines.enumerated() {
      suggestion.feed(line[...], at: LinePlace(file: "a.log", line: index + 1))
    }
    return (Proposal(suggestion), lines)
  }

  /// Compiles without a finding, passes its own tests, and denies nothing of what was allowed.
  static func hold(_ proposal: Proposal, _ lines: [[UInt8]], changes: Int = 0) throws {
    #expect(proposal.diagnostics.isEmpty, "\(proposal.wholeText)")
    #expect(proposal.shortcomings.isEmpty)
    let policy = try #require(proposal.policy)
    let whole = PolicyReader.read(Array(proposal.wholeText.utf8), file: "all.yaml")
    #expect(whole.diagnostics.isEmpty, "\(proposal.wholeText)")
    let tests = try #require(PolicyReader.read(Array(proposal.testsText.utf8), file: "t.yaml").document).tests
    #expect(tests.contains { $0.expect == .allow } && tests.contains { $0.expect == .deny })
    for test in tests {
      let decision = policy.decide(test.given, at: test.at ?? Log.start)
      #expect(decision.verdict == test.expect, "\(test.name.value)")
      if let caller = test.caller { #expect(decision.caller?.name == caller.value) }
      if let rule = test.rule { #expect(decision.rule == rule.value) }
    }
    var replay = Replay(policy: policy)
    for (index, line) in lines.enumerated() {
      replay.feed(line[...], at: LinePlace(file: "a.log", line: index + 1))
    }
    #expect(replay.report.changed == changes, "\(replay.report.text)")
  }

  static func postgres(_ user: String, _ database: String, replication: String? = nil) -> [Field: FactValue] {
    var more: [Field: FactValue] = [
      .protocol: .text("postgres"), .postgresUser: .text(user), .postgresDatabase: .text(database),
    ]
    if let replication { more[.postgresReplication] = .text(replication) }
    return more
  }

  @Test func recordsOfAnotherVersionAreToldFromNone() throws {
    var suggestion = try #require(Suggestion(.init()))
    let line = String(
      decoding: Log.line(Log.worker("orders"), try #require(Log.policy(Self.open))), as: UTF8.self)
    let newer = Array(line.replacing("\"schema\":1", with: "\"schema\":2").utf8)
    suggestion.feed(newer[...], at: LinePlace(file: "a.log", line: 1))
    suggestion.feed(Array("version: 1".utf8)[...], at: LinePlace(file: "a.log", line: 2))
    suggestion.feed(Log.handshakeFailed()[...], at: LinePlace(file: "a.log", line: 3))
    #expect(suggestion.records == 2 && suggestion.unreadable.count == 2)
    #expect(
      suggestion.shortage == "no connection to allow: 0 verdicts in the logs, and none that counts; "
        + "1 more that this version does not read")
  }

  @Test func whatWasSeenIsAllowedAndNothingElse() throws {
    let (proposal, lines) = try Self.suggest([
      Log.worker("orders", Self.postgres("orders_ro", "orders")),
      Log.worker("orders", Self.postgres("orders_rw", "orders")),
      Log.worker("orders", Self.postgres("orders_ro", "reports")),
      Log.worker("billing", listener: "billing-db", Self.postgres("b", "b")),
    ])
    try Self.hold(proposal, lines)
    let policy = try #require(proposal.policy)
    func verdict(_ facts: Facts) -> Verdict { policy.decide(facts, at: Log.start).verdict }
    #expect(verdict(Log.worker("orders", Self.postgres("orders_rw", "reports"))) == .deny)
    #expect(
      verdict(Log.worker("orders", listener: "billing-db", Self.postgres("orders_ro", "orders"))) == .deny)
    #expect(verdict(Log.worker("orders", Self.postgres("orders_ro", "orders", replication: "true"))) == .deny)
    #expect(verdict(Log.worker("billing", Self.postgres("b", "b"))) == .deny)
    #expect(verdict(Log.worker("mail", Self.postgres("orders_ro", "orders"))) == .deny)
  }

  @Test func theSameInAnotherOrderIsTheSamePolicy() throws {
    let facts = (0..<20).map { Log.worker("w\($0 % 5)", listener: "l\($0 % 3)") }
    let (one, _) = try Self.suggest(facts)
    let (other, _) = try Self.suggest(facts.reversed())
    #expect(one.wholeText == other.wholeText)
  }

  static let strange = [
    "spiffe://a/{x}", "spiffe://a/*", "spiffe://a/a b\"c\\d", "spiffe://a/é", "spiffe://a/.*",
    "spiffe://a/\u{202e}x",
    "spiffe://a/dns/x", "spiffe://a/group:x", "spiffe://a", "spiffe://a/", "spiffe://a/x#y: z",
    "spiffe://a/}{",
    "spiffe://a/'x", "spiffe://a/[x]",
  ]

  /// The label may well read like the name; it is no name.
  @Test(arguments: [Set<Field>(), [.sanURI]])
  func aNameIsAllowedUnderTheLabelThatItHad(_ generalised: Set<Field>) throws {
    let facts = ["orders", "billing"].map { Log.worker($0, [.trustLabel: .text("orders")]) }
    let (proposal, lines) = try Self.suggest(facts, .init(generalised: generalised))
    try Self.hold(proposal, lines)
    let policy = try #require(proposal.policy)
    for (label, verdict) in [("orders", Verdict.allow), ("billing", .deny), (nil, .deny)] {
      for var facts in facts {
        facts[.trustLabel] = label.map { .text($0) }
        #expect(policy.decide(facts, at: Log.start).verdict == verdict)
      }
    }
  }

  @Test func strangeNamesStayLiteral() throws {
    let (proposal, lines) = try Self.suggest(Self.strange.map { Log.facts($0) })
    try Self.hold(proposal, lines)
    #expect(proposal.accesses == Self.strange.count)
    let policy = try #require(proposal.policy)
    for uri in ["spiffe://a/y", "spiffe://a/{y}", "spiffe://a/**", "spiffe://a/ab", "spiffe://b/x"] {
      #expect(policy.decide(Log.facts(uri), at: Log.start).verdict == .deny, "\(uri)")
    }
  }

  @Test func strangeClaimsStayLiteral() throws {
    let users = ["{name}", "a*", "a.b", "", "a\nb", "\\", "'", "null", "true", "1", "~", "- x", "é"]
    let (proposal, lines) = try Self.suggest(users.map { Log.worker("orders", Self.postgres($0, "db")) })
    try Self.hold(proposal, lines)
    let policy = try #require(proposal.policy)
    for user in ["orders", "ab", "axb", "x", "a b"] {
      let facts = Log.worker("orders", Self.postgres(user, "db"))
      #expect(policy.decide(facts, at: Log.start).verdict == .deny, "\(user)")
    }
  }

  @Test func theStrongestNameIsTaken() throws {
    let dn: [Field: FactValue] = [.subjectDN: .text("CN=a\\,b,O=c"), .issuerDN: .text("CN=ca")]
    let two: [Field: FactValue] = [.sanDNS: .texts(["a.example", "b.example"])]
    let (proposal, lines) = try Self.suggest([
      Log.facts(nil, [.sanDNS: .texts(["*.Db.example"])]), Log.facts(nil, dn), Log.facts(nil, two),
      Log.worker("orders", [.sanDNS: .texts(["*.db.example"])]),
    ])
    try Self.hold(proposal, lines)
    #expect(proposal.policyText.contains("san_dns: \"*.db.example\""))
    #expect(proposal.policyText.contains("subject_dn: \"CN=a\\\\,b,O=c\", issuer_dn: \"CN=ca\""))
    #expect(proposal.policyText.contains("sha256: \"abab"))
  }

  @Test func whatIsGeneralisedIsWhatWasAskedFor() throws {
    let facts = ["orders", "billing", "mail"].flatMap {
      [
        Log.worker($0, Self.postgres("\($0)_ro", "shared")),
        Log.worker($0, Self.postgres("\($0)_rw", "shared")),
      ]
    }
    let (proposal, lines) = try Self.suggest(facts, .init(generalised: [.sanURI]))
    try Self.hold(proposal, lines)
    #expect(proposal.rules == 1, "\(proposal.policyText)")
    #expect(proposal.policyText.contains("\"spiffe://acme.example/worker/{name}\""))
    #expect(proposal.policyText.contains("[\"{name}_ro\", \"{name}_rw\"]"))
    let policy = try #require(proposal.policy)
    let new = policy.decide(Log.worker("new", Self.postgres("new_ro", "shared")), at: Log.start)
    #expect(new.verdict == .allow)
    let crossed = policy.decide(Log.worker("new", Self.postgres("orders_ro", "shared")), at: Log.start)
    #expect(crossed.verdict == .deny)
    let (any, anyLines) = try Self.suggest(facts, .init(generalised: [.postgresDatabase, .listener]))
    try Self.hold(any, anyLines)
    #expect(!any.policyText.contains("postgres_database:") && !any.policyText.contains("listeners"))
  }

  /// What only some members of a family did stays theirs.
  @Test func aFamilySharesOnlyWhatAllDid() throws {
    let (proposal, lines) = try Self.suggest(
      [Log.worker("orders"), Log.worker("billing"), Log.worker("orders", listener: "secret")],
      .init(generalised: [.sanURI]))
    try Self.hold(proposal, lines)
    let policy = try #require(proposal.policy)
    #expect(policy.decide(Log.worker("billing", listener: "secret"), at: Log.start).verdict == .deny)
    #expect(policy.decide(Log.worker("new"), at: Log.start).verdict == .allow)
  }

  static let strict = """
    version: 1
    callers: [{ name: "worker/{worker}", match: { san_uri: "spiffe://acme.example/worker/{worker}" } }]
    rules:
      - { name: orders, action: allow, callers: [worker/orders] }
      - { name: trial, action: allow, mode: shadow, callers: [worker/mail] }

    """

  @Test func deniedConnectionsAreToldAndNotAllowed() throws {
    let facts = [Log.worker("orders"), Log.worker("mail"), Log.facts("spiffe://x/evil\n  - name: x")]
    let (proposal, lines) = try Self.suggest(facts, under: Self.strict)
    try Self.hold(proposal, lines)
    #expect(proposal.accesses == 1)
    #expect(proposal.policyText.contains("#   1 × denied (default): worker/mail\n"))
    #expect(proposal.policyText.contains("denied (caller_unmapped): spiffe://x/evil\\u{a}  - name: x\n"))
    let (both, bothLines) = try Self.suggest(facts, .init(includesShadow: true), under: Self.strict)
    try Self.hold(both, bothLines, changes: 1)
    #expect(both.accesses == 2)
  }

  @Test func callersThatAreKeptStayAndRulesAreWritten() throws {
    let document = try #require(PolicyReader.read(Array(Self.strict.utf8), file: "p.yaml").document)
    let facts = [Log.worker("orders"), Log.worker("mail"), Log.facts("spiffe://x/y")]
    let (proposal, lines) = try Self.suggest(facts, .init(kept: [document]))
    #expect(proposal.accesses == 2 && proposal.diagnostics.isEmpty && proposal.shortcomings.isEmpty)
    #expect(!proposal.policyText.contains("callers:\n  - name"))
    #expect(
      proposal.policyText.contains("worker-orders-and-1-more") || proposal.policyText.contains("worker/mail"))
    #expect(proposal.policyText.contains("no caller in the files that are kept (caller_unmapped)"))
    let policy = try #require(proposal.policy)
    var replay = Replay(policy: policy)
    for line in lines { replay.feed(line[...], at: LinePlace(file: "a", line: 1)) }
    #expect(replay.report.changed == 1)
  }
}
