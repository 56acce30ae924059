import AccessPolicy
import AuditLog
import Testing

@testable import Workbench

@Suite struct ReplayTests {
  static let callers = """
    version: 1
    callers:
      - name: worker/{worker}
        match: { san_uri: "spiffe://acme.example/worker/{worker}" }

    """
  static let old = callers + "rules:\n  - { name: all, action: allow, callers: [worker/*] }\n"

  static func replay(
    _ lines: [[UInt8]], under text: String, groupLimit: Int = 100
  ) throws -> ReplayReport {
    let policy = try #require(Log.policy(text))
    var replay = Replay(policy: policy, groupLimit: groupLimit)
    for (index, line) in lines.enumerated() {
      replay.feed(line[...], at: LinePlace(file: "a.log", line: index + 1))
    }
    return replay.report
  }

  static func log(_ facts: [Facts], every seconds: Int64 = 1) throws -> [[UInt8]] {
    let policy = try #require(Log.policy(old))
    return facts.enumerated().map { index, facts in
      let time = Timestamp(seconds: Log.start.seconds + Int64(index) * seconds)
      return Log.line(facts, policy, at: time, id: index + 1)
    }
  }

  @Test func underTheSamePolicyNothingChanges() throws {
    let lines = try Self.log((0..<50).map { Log.worker("w\($0 % 7)") } + [Log.facts("spiffe://x/y")])
    let report = try Self.replay(lines, under: Self.old)
    #expect(report.decisions == 51 && report.unchanged == 51 && report.changed == 0 && report.otherRule == 0)
    #expect(report.cases.isEmpty && report.shadowChanged == 0)
  }

  @Test func changesAreGroupedByCallerAndRule() throws {
    let lines = try Self.log(["orders", "mail", "orders", "billing"].map { Log.worker($0) })
    let report = try Self.replay(
      lines,
      under: Self.callers + """
        rules:
          - { name: billing, action: allow, callers: [worker/billing] }
          - { name: no-mail, action: deny, callers: [worker/mail] }

        """)
    #expect(report.changed == 3 && report.unchanged == 1 && report.otherRule == 1)
    let cases = report.cases
    #expect(cases.map(\.count) == [2, 1])
    #expect(cases[0].old.caller == "worker/orders" && cases[0].old.rule == "all")
    #expect(cases[0].new.verdict == "deny" && cases[0].new.reason == "default" && cases[0].new.rule == nil)
    #expect(cases[0].first == Log.start && cases[0].last.seconds == Log.start.seconds + 2)
    #expect(cases[0].example == LinePlace(file: "a.log", line: 1))
    #expect(cases[0].exampleID == "00000000000000000000000000000001")
    #expect(cases[1].new.rule == "no-mail")
    #expect(report.text.contains("2 × worker/orders: allow (rule all) → deny (default)"))
    #expect(try report.json().contains("\"event_id\" : \"00000000000000000000000000000001\""))
  }

  static let timed = [
    "when: { time: { after: \"08:00\", before: \"18:00\", zone: Europe/Madrid } }",
    "when: { valid_for: { min: 12h } }", "expires: 2027-01-16T12:00:00Z",
    "unless: { time: { days: [sat-sun], zone: UTC } }",
  ]

  /// What is kept of a line is asked again where time may have changed it: the same as a judgement of each.
  @Test(arguments: timed) func timeIsThatOfTheRecord(_ condition: String) throws {
    let end = Timestamp(seconds: Log.start.seconds + 100_000)
    let facts = (0..<600).map { _ in Log.worker("orders", [.notAfter: .instant(end)]) }
    var lines = try Self.log(facts, every: 997)
    // Time goes back, too: several files in any order.
    lines += lines.reversed()
    let text = Self.callers + "rules:\n  - { name: timed, action: allow, \(condition) }\n"
    let policy = try #require(Log.policy(text))
    var denied = 0
    for line in lines {
      guard case .decision(let decision) = RecordLine.read(line[...]) else { continue }
      if policy.decide(decision.facts, at: decision.time).verdict == .deny { denied += 1 }
    }
    let report = try Self.replay(lines, under: text)
    #expect(report.changed == denied && denied > 0 && denied < lines.count)
  }

  @Test func shadowVerdictsAreCountedApart() throws {
    let lines = try Self.log([Log.worker("orders"), Log.worker("mail")])
    let report = try Self.replay(
      lines,
      under: Self.old + "  - { name: trial, action: deny, mode: shadow, callers: [worker/mail] }\n")
    #expect(report.changed == 0 && report.shadowChanged == 1)
  }

  @Test func badLinesAreToldAndPassedOver() throws {
    let good = try Self.log([Log.worker("orders")])[0]
    let newer = String(decoding: good, as: UTF8.self).replacing("\"schema\":1", with: "\"schema\":2")
    let lines: [[UInt8]] = [
      [0xef, 0xbb, 0xbf] + good, good + [0x0d], Array(good.dropLast(40)), [0, 0, 0], Array("{}".utf8),
      Array("hello".utf8), [], Array(newer.utf8), Log.handshakeFailed(),
      Array(String(decoding: good, as: UTF8.self).replacing("connection-allowed", with: "new-action").utf8),
      good,
    ]
    let report = try Self.replay(lines, under: Self.old)
    #expect(report.decisions == 3 && report.changed == 0)
    #expect(report.unreadable.count == 5)
    #expect(report.unreadable.first.map(\.line) == [3, 4, 5, 6, 8])
    #expect(report.unreadable.first[4].problem.contains("countersign.schema"))
    #expect(report.handshakesFailed == 1 && report.otherRecords == 1)
    // That of another version is a record, and so are the two others.
    #expect(report.unreadable.decisions == 1 && report.records == 6 && report.shortage == nil)
  }

  @Test func recordsOfAnotherVersionAreToldFromNone() throws {
    let good = try Self.log([Log.worker("orders")])[0]
    let newer = Array(
      String(decoding: good, as: UTF8.self).replacing("\"schema\":1", with: "\"schema\":2").utf8)
    let none = try Self.replay([Log.handshakeFailed()], under: Self.old)
    #expect(
      none.shortage
        == "no verdict to compare: the logs hold no connection-allowed or connection-denied record")
    let one = try Self.replay([newer], under: Self.old)
    #expect(
      one.shortage
        == "no verdict to compare: the logs hold 1 connection-allowed or connection-denied record, "
        + "none that this version reads")
    #expect(one.records == 1)
    #expect(try Make.object(try one.json()).text("error") == one.shortage)
    #expect(try Make.object(try Self.replay([good], under: Self.old).json())["error"] == nil)
    #expect(try Self.replay([Array("version: 1".utf8)], under: Self.old).records == 0)
  }

  @Test func oneIsNoPlural() throws {
    let line = try Self.log([Log.worker("mail")])
    let one = try Self.replay(
      line + [Log.handshakeFailed(), [0]],
      under: Self.old + "  - { name: trial, action: deny, mode: shadow, callers: [worker/mail] }\n")
    #expect(
      one.summary
        == "1 verdict: 0 change, 1 does not, 0 undecidable; 1 shadow verdict changes; "
        + "1 failed handshake has no verdict; 0 other records; 1 unreadable line")
    let changed = try Self.replay(line, under: Self.callers)
    #expect(
      changed.summary.hasPrefix("1 verdict: 1 changes, 0 do not, 0 undecidable; 1 shadow verdict changes"))
  }

  @Test func aValueThatWasCutIsUndecidableWhereItMatters() throws {
    let long = "spiffe://acme.example/worker/" + String(repeating: "a", count: 5000)
    let lines = try Self.log([
      Log.facts(long), Log.worker("orders", [.alpn: .text(String(repeating: "b", count: 5000))]),
    ])
    let report = try Self.replay(lines, under: Self.old)
    #expect(report.undecidable == 1 && report.unchanged == 1 && report.changed == 0)
    #expect(report.firstUndecidable[0].fields == ["san_uri"] && report.firstUndecidable[0].line == 1)
    // Whatever the value is, it is not this one.
    let literal = try Self.replay(
      lines, under: Self.old.replacing("callers: [worker/*]", with: "unless: { alpn: h2 }"))
    #expect(literal.undecidable == 1)
    let suffix = try Self.replay(
      lines, under: Self.old.replacing("callers: [worker/*]", with: "unless: { alpn: { suffix: c } }"))
    #expect(suffix.undecidable == 2)
  }

  @Test func kindsBeyondTheLimitAreCountedTogether() throws {
    let lines = try Self.log((0..<20).map { Log.worker("w\($0)") })
    let report = try Self.replay(lines, under: Self.callers, groupLimit: 5)
    #expect(report.changed == 20 && report.cases.count == 5 && report.overflow == 15)
    #expect(report.text.contains("15 more verdicts change"))
  }

  @Test func theCacheIsBoundedAndExact() {
    var cache = JudgementCache<Int>(entryLimit: 100, byteLimit: 1000)
    for number in 0..<1000 {
      let key = Array("key \(number)".utf8)
      #expect(cache.find(key) == nil)
      cache.insert(key, number)
      #expect(cache.find(key).map { cache[$0] } == number)
    }
    #expect(cache.find(Array("key 1".utf8)) == nil)
    cache.insert([UInt8](repeating: 0, count: 2000), 1)
    #expect(cache.find([UInt8](repeating: 0, count: 2000)) == nil)
  }
}
