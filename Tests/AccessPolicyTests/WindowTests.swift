import AccessPolicy
import Testing

/// Recurring spans of local time, over midnight and over changes of the clock.
struct WindowTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let window: TimeWindow
    let at: String
    let holds: Bool
    var testDescription: String { "\(window) at \(at)" }
  }

  private static func madrid(_ after: Int?, _ before: Int?, _ days: Set<Int> = []) -> TimeWindow {
    TimeWindow(after: after, before: before, days: days, zone: "Europe/Madrid")
  }

  static let cases: [Case] = [
    // 2026-11-24 is a Tuesday; Madrid is an hour ahead of UTC in winter.
    Case(window: madrid(480, 1080), at: "2026-11-24T07:00:00Z", holds: true),
    Case(window: madrid(480, 1080), at: "2026-11-24T06:59:59Z", holds: false),
    Case(window: madrid(480, 1080), at: "2026-11-24T16:59:59Z", holds: true),
    Case(window: madrid(480, 1080), at: "2026-11-24T17:00:00Z", holds: false),
    // Two hours ahead in summer.
    Case(window: madrid(480, 1080), at: "2026-07-01T06:00:00Z", holds: true),
    Case(window: madrid(480, 1080), at: "2026-07-01T16:00:00Z", holds: false),
    Case(window: madrid(480, 1080, [2]), at: "2026-11-24T10:00:00Z", holds: true),
    Case(window: madrid(480, 1080, [1, 3]), at: "2026-11-24T10:00:00Z", holds: false),
    // Over midnight: the night from Tuesday belongs to Tuesday.
    Case(window: madrid(1320, 360, [2]), at: "2026-11-24T21:30:00Z", holds: true),
    Case(window: madrid(1320, 360, [2]), at: "2026-11-25T04:59:00Z", holds: true),
    Case(window: madrid(1320, 360, [2]), at: "2026-11-25T05:00:00Z", holds: false),
    Case(window: madrid(1320, 360, [2]), at: "2026-11-24T02:00:00Z", holds: false),
    Case(window: madrid(1320, 360, [7]), at: "2026-11-23T02:00:00Z", holds: true),
    Case(window: madrid(480, nil), at: "2026-11-24T22:59:59Z", holds: true),
    Case(window: madrid(nil, 480), at: "2026-11-23T23:00:00Z", holds: true),
    Case(window: madrid(nil, nil, [6, 7]), at: "2026-11-28T12:00:00Z", holds: true),
    // The clock goes forward at 01:00Z on 2026-03-29: 02:30 local does not exist, 03:00 does.
    Case(window: madrid(120, 180), at: "2026-03-29T00:59:59Z", holds: false),
    Case(window: madrid(180, 240), at: "2026-03-29T01:00:00Z", holds: true),
    // It goes back at 01:00Z on 2026-10-25: 02:30 comes twice.
    Case(window: madrid(120, 180), at: "2026-10-25T00:30:00Z", holds: true),
    Case(window: madrid(120, 180), at: "2026-10-25T01:30:00Z", holds: true),
    Case(
      window: TimeWindow(after: 0, before: 60, days: [4], zone: "UTC"), at: "1969-12-25T00:30:00Z",
      holds: true),
  ]

  @Test(arguments: cases)
  func windowsHoldInLocalTime(_ row: Case) throws {
    let at = try #require(Timestamp(rfc3339: row.at))
    let rule = Make.rule("r", when: [Make.condition(.time, .window(row.window))])
    #expect(try Make.decide([rule], at: at).verdict == (row.holds ? .allow : .deny))
  }
}

extension Make {
  static func decide(_ rules: [RuleEntry], _ facts: Facts = uri("x://w/a"), at: Timestamp = now) throws
    -> Decision
  {
    try decide([worker], rules, facts, at: at)
  }
}
