import AccessPolicy
import Testing

/// When time alone changes a verdict.
struct CalendarTests {
  private static let start = Make.now.seconds

  private func policy(_ rules: RuleEntry...) throws -> Policy {
    try #require(Make.compile([Make.worker], rules).policy)
  }

  @Test func nothingChangesWithoutTime() throws {
    #expect(try policy(Make.rule("a")).nextChange(for: Make.uri("x://w/a"), after: Make.now) == nil)
  }

  @Test func theNextEndOfARuleComesFirst() throws {
    let ends = [30, 10, 20, -5, 0].map { Timestamp(seconds: Self.start + $0) }
    let rules = ends.enumerated().map { Make.rule("r\($0.offset)", expires: $0.element) }
    let policy = try #require(Make.compile([Make.worker], rules).policy)
    let facts = Make.uri("x://w/a")
    #expect(policy.nextChange(for: facts, after: Make.now) == ends[1])
    #expect(policy.nextChange(for: facts, after: ends[1]) == ends[2])
    #expect(policy.nextChange(for: facts, after: ends[0]) == nil)
  }

  /// Followed from change to change, no change is missed: the judge is a look at every minute of ten days,
  /// among them the ones in which the clock goes forward and back.
  @Test(
    arguments: ["2026-03-25T00:00:00Z", "2026-10-20T00:00:00Z", "2026-11-20T11:11:11Z"],
    [
      TimeWindow(after: 480, before: 1080, days: [1, 2, 3], zone: "Europe/Madrid"),
      TimeWindow(after: 1320, before: 360, days: [7, 1], zone: "America/New_York"),
      TimeWindow(after: 150, before: 175, days: [], zone: "Europe/Madrid"),
      TimeWindow(after: nil, before: nil, days: [3], zone: "Asia/Kathmandu"),
    ])
  func noBoundaryOfAWindowIsMissed(_ from: String, _ window: TimeWindow) throws {
    let policy = try policy(Make.rule("r", when: [Make.condition(.time, .window(window))]))
    let facts = Make.uri("x://w/a")
    let first = try #require(Timestamp(rfc3339: from))
    var next = first
    var verdict = policy.decide(facts, at: first).verdict
    var changes = 0
    for minute in 0..<(10 * 1440) {
      let now = Timestamp(seconds: first.seconds - first.seconds % 60 + Int64(minute) * 60)
      guard now >= first else { continue }
      while now >= next {
        verdict = policy.decide(facts, at: next).verdict
        next = try #require(policy.nextChange(for: facts, after: next))
      }
      if policy.decide(facts, at: now).verdict != verdict { Issue.record("missed before \(now.rfc3339)") }
      if now == next { changes += 1 }
      changes += verdict == .allow ? 1 : 0
    }
    #expect(changes > 0)
  }

  @Test func timeLeftHasItsBorders() throws {
    let policy = try policy(
      Make.rule("r", when: [Make.condition(.validFor, .range(min: "10s", max: "20s"))]))
    var facts = Make.uri("x://w/a")
    facts[.notAfter] = .instant(Timestamp(seconds: Self.start + 100))
    var moments: [Int64] = []
    var now = Make.now
    while let next = policy.nextChange(for: facts, after: now) {
      moments.append(next.seconds - Self.start)
      now = next
    }
    #expect(moments == [80, 81, 90, 91])
    let verdicts = [79, 80, 90, 91].map {
      policy.decide(facts, at: Timestamp(seconds: Self.start + $0)).verdict
    }
    #expect(verdicts == [.deny, .allow, .allow, .deny])
  }
}
