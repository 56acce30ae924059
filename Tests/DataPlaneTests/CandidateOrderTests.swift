import DataPlane
import EventLoop
import GatewayConfiguration
import Testing

/// In which order addresses are dialled, as a table.
struct CandidateOrderTests {
  typealias Entry = CandidateOrder.Entry

  struct Row: Sendable, CustomTestStringConvertible {
    let what: String
    let entries: [Entry]
    var balance = Upstream.Balance.leastConnections
    var turn: UInt = 0
    let order: [Int]
    var testDescription: String { what }
  }

  static func resting(_ since: Int64) -> Entry {
    Entry(standing: .resting(since: MonotonicTime(nanoseconds: since)))
  }
  static func live(_ counts: Int...) -> [Entry] { counts.map { Entry(live: $0) } }
  static func families(_ families: CandidateOrder.Family...) -> [Entry] { families.map { Entry(family: $0) } }

  static let rows: [Row] = [
    Row(what: "nothing to dial", entries: [], order: []),
    Row(what: "one address", entries: live(7), turn: 5, order: [0]),
    Row(what: "the fewest connections first", entries: live(3, 1, 2), order: [1, 2, 0]),
    Row(what: "equals in the order they stand in", entries: live(0, 0, 0), order: [0, 1, 2]),
    Row(what: "equals in turn", entries: live(0, 0, 0), turn: 1, order: [1, 2, 0]),
    Row(what: "equals in turn, again from the start", entries: live(0, 0, 0), turn: 3, order: [0, 1, 2]),
    Row(what: "a turn changes nothing of the counts", entries: live(2, 1, 1), turn: 2, order: [2, 1, 0]),
    Row(what: "the last turn there is", entries: live(0, 0), turn: .max, order: [1, 0]),
    Row(
      what: "round robin does not count", entries: live(9, 0, 5), balance: .roundRobin, turn: 0,
      order: [0, 1, 2]),
    Row(
      what: "round robin goes on", entries: live(0, 0, 5), balance: .roundRobin, turn: 2, order: [2, 0, 1]),
    Row(
      what: "round robin is even over those that are well", entries: [Entry(), resting(1), Entry()],
      balance: .roundRobin, turn: 1, order: [2, 0, 1]),
    Row(what: "one that rests is last", entries: [resting(1), Entry(live: 99)], order: [1, 0]),
    Row(
      what: "where all rest, the one that has rested longest is first",
      entries: [resting(3), resting(1), resting(2)],
      turn: 1, order: [1, 2, 0]),
    Row(
      what: "one that is to be tried again is first",
      entries: [Entry(), Entry(live: 9, standing: .trial), Entry()],
      turn: 1, order: [1, 2, 0]),
    Row(what: "families alternate", entries: families(.v6, .v6, .v4, .v4), order: [0, 2, 1, 3]),
    Row(
      what: "the first family is the first's", entries: families(.v6, .v6, .v4), turn: 2, order: [2, 0, 1]),
    Row(what: "families that run out", entries: families(.v4, .v4, .v4, .v6), order: [0, 3, 1, 2]),
    Row(what: "sockets are a family too", entries: families(.v4, .v4, .unix, .v6), order: [0, 2, 3, 1]),
    Row(
      what: "alternation never puts one that rests before one that is well",
      entries: [
        Entry(standing: .resting(since: MonotonicTime(nanoseconds: 1)), family: .v6), Entry(family: .v4),
        Entry(family: .v4),
      ], order: [1, 2, 0]),
  ]

  @Test(arguments: rows)
  func theOrder(_ row: Row) {
    #expect(CandidateOrder.order(row.entries, row.balance, turn: row.turn) == row.order)
  }
}

/// How long an address is left alone.
struct EndpointHealthTests {
  static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

  /// Fails a trial as soon as one is due; how long that took, `count` times.
  static func rests(_ count: Int) -> [Duration] {
    var health = EndpointHealth()
    var now = start
    health.failed(.connect, at: now)
    return (0..<count).map { _ in
      let since = now
      while health.standing(at: now, mayTry: true) != .trial { now = now + .milliseconds(500) }
      health.failed(.connect, at: now)
      return now - since
    }
  }

  @Test func itIsLeftAloneTwiceAsLongEachTimeUpToACap() {
    #expect(Self.rests(7) == [1, 2, 4, 8, 16, 30, 30].map { .seconds($0) })
  }

  @Test func aThousandFailuresDoNotOverflow() {
    #expect(Self.rests(1000).last == EndpointHealth.longestRest)
  }

  @Test func failuresUnderWayTogetherCountAsOne() {
    var health = EndpointHealth()
    for step in 0..<50 { health.failed(.connect, at: Self.start + .milliseconds(step)) }
    let later = health.standing(at: Self.start + .milliseconds(999), mayTry: true)
    #expect(later == .resting(since: Self.start + .milliseconds(49)))
    let due = health.standing(at: Self.start + .seconds(1), mayTry: true)
    #expect(due == .trial)
  }

  @Test func oneConnectionTriesItAgainAndTheOthersWait() {
    var health = EndpointHealth()
    health.failed(.connect, at: Self.start)
    let due = Self.start + .seconds(1)
    #expect(health.standing(at: due, mayTry: false) == .resting(since: Self.start))
    #expect(health.standing(at: due, mayTry: true) == .trial)
    #expect(health.standing(at: due, mayTry: true) == .resting(since: Self.start))
    // One that never came to its dial, or hangs in it, does not keep it from being tried for ever.
    #expect(health.standing(at: due + .seconds(1), mayTry: true) == .trial)
  }

  @Test func successBringsItBackAndForgets() {
    var health = EndpointHealth()
    for step in 0..<5 { health.failed(.connect, at: Self.start + .seconds(100 * step)) }
    health.succeeded()
    #expect(health.isWell)
    health.failed(.connect, at: Self.start + .seconds(1000))
    #expect(health.standing(at: Self.start + .seconds(1001), mayTry: true) == .trial)
  }

  @Test func whatAProbeFoundOutNoClientHasToTry() {
    var health = EndpointHealth()
    health.probeFailed(at: Self.start)
    #expect(health.standing(at: Self.start + .seconds(3600), mayTry: true) == .resting(since: Self.start))
    health.succeeded()
    #expect(!health.isWell)
    health.probeSucceeded()
    #expect(health.isWell)
  }

  @Test func aProbeBringsBackWhatCouldNotBeConnected() {
    var health = EndpointHealth()
    health.failed(.connect, at: Self.start)
    health.probeSucceeded()
    #expect(health.isWell)
  }

  /// A server that accepts connections and fails every TLS handshake answers a probe that connects.
  @Test func aProbeDoesNotBringBackWhatFailedBehindTheConnect() {
    var health = EndpointHealth()
    health.failed(.preparation, at: Self.start)
    health.probeSucceeded()
    #expect(!health.isWell)
    #expect(health.standing(at: Self.start + .seconds(1), mayTry: true) == .trial)
  }
}
