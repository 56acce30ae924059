import AccessPolicy
import DataPlane
import EventLoop
import Testing

/// Whose queries a CancelRequest may end.
struct PostgresSessionsTests {
  static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)
  static let key = PostgresCancelKey(processID: 7, secret: [1, 2, 3, 4])
  static let other = PostgresCancelKey(processID: 7, secret: [1, 2, 3, 5])

  static func session(_ id: String, caller: String = "worker/orders", port: UInt16 = 5432)
    -> PostgresSessions.Session
  {
    var decision = Decision(verdict: .allow, reason: .rule, rule: "r")
    decision.caller = Caller(name: caller)
    return .init(
      connectionID: id, listener: "front", decision: decision,
      target: UpstreamTarget(address: .v4(0x7f00_0001, port: port), serverName: "db"))
  }

  static func source(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    var key = PostgresSessionsTests.key
    var listener = "front"
    var caller: String?
    let found: Bool
    var testDescription: String { name }
  }

  static let rows = [
    Row(name: "in plaintext", found: true),
    Row(name: "by its caller", caller: "worker/orders", found: true),
    Row(name: "by another caller", caller: "worker/billing", found: false),
    Row(name: "at another listener", listener: "back", found: false),
    Row(name: "with another key", key: other, found: false),
    Row(
      name: "of another process", key: PostgresCancelKey(processID: 8, secret: [1, 2, 3, 4]), found: false),
    Row(
      name: "with a longer key", key: PostgresCancelKey(processID: 7, secret: [1, 2, 3, 4, 0]), found: false),
  ]

  @Test(arguments: rows)
  func aPairIsFound(_ row: Row) throws {
    let sessions = PostgresSessions()
    sessions.add(Self.session("a"), key: Self.key)
    let match = sessions.find(
      row.key, listener: row.listener, caller: row.caller, source: try Self.source("192.0.2.1"),
      now: Self.start)
    #expect(match == (row.found ? .session(Self.session("a")) : .unknown))
  }

  @Test func aCallerIsTheSameByteByByteAlone() {
    let sessions = PostgresSessions()
    sessions.add(Self.session("a", caller: "worker/caf\u{e9}"), key: Self.key)
    let match = sessions.find(
      Self.key, listener: "front", caller: "worker/cafe\u{301}", source: nil, now: Self.start)
    #expect(match == .unknown)
  }

  @Test func twoServersWithOnePairCannotBeToldApartUnlessByTheirCaller() throws {
    let sessions = PostgresSessions()
    sessions.add(Self.session("a"), key: Self.key)
    sessions.add(Self.session("b", caller: "worker/billing", port: 5433), key: Self.key)
    func find(_ caller: String?) -> PostgresSessions.Match {
      sessions.find(Self.key, listener: "front", caller: caller, source: nil, now: Self.start)
    }
    #expect(find(nil) == .ambiguous)
    #expect(find("worker/billing") == .session(Self.session("b", caller: "worker/billing", port: 5433)))
    sessions.remove(connectionID: "b", key: Self.key)
    #expect(find(nil) == .session(Self.session("a")))
    sessions.remove(connectionID: "a", key: Self.key)
    #expect(find(nil) == .unknown)
    #expect(sessions.count == 0)
  }

  static func guess(_ sessions: PostgresSessions, _ source: String, at time: MonotonicTime = start) throws
    -> PostgresSessions.Match
  {
    sessions.find(other, listener: "front", caller: nil, source: try Self.source(source), now: time)
  }

  @Test func aSourceHasTwentyGuessesAMinute() throws {
    let sessions = PostgresSessions()
    sessions.add(Self.session("a"), key: Self.key)
    for _ in 0..<20 { #expect(try Self.guess(sessions, "192.0.2.1") == .unknown) }
    #expect(try Self.guess(sessions, "192.0.2.1") == .limited)
    // Nor is the right pair taken from there, while others are not concerned.
    let address = try Self.source("192.0.2.1")
    func find(_ caller: String?, at time: MonotonicTime) -> PostgresSessions.Match {
      sessions.find(Self.key, listener: "front", caller: caller, source: address, now: time)
    }
    #expect(find(nil, at: Self.start) == .limited)
    #expect(try Self.guess(sessions, "192.0.2.2") == .unknown)
    #expect(find("worker/orders", at: Self.start) == .session(Self.session("a")))
    #expect(find(nil, at: Self.start + .seconds(59)) == .limited)
    #expect(find(nil, at: Self.start + .seconds(60)) == .session(Self.session("a")))
  }

  @Test func aCallersGuessesAreNotCounted() throws {
    let sessions = PostgresSessions()
    let address = try Self.source("192.0.2.1")
    for _ in 0..<50 {
      let match = sessions.find(
        Self.other, listener: "front", caller: "worker/orders", source: address, now: Self.start)
      #expect(match == .unknown)
    }
    #expect(try Self.guess(sessions, "192.0.2.1") == .unknown)
  }

  @Test func aNetworkOfIPv6IsOneSource() throws {
    let sessions = PostgresSessions()
    for number in 0..<20 { #expect(try Self.guess(sessions, "2001:db8::\(number + 1)") == .unknown) }
    #expect(try Self.guess(sessions, "2001:db8::ffff:ffff") == .limited)
    #expect(try Self.guess(sessions, "2001:db8:0:1::1") == .unknown)
  }

  @Test func tooManySourcesAreAllLimited() throws {
    let sessions = PostgresSessions()
    for number in 0..<10_000 {
      let text = "10.0.\(number / 256).\(number % 256)"
      #expect(try Self.guess(sessions, text) == .unknown)
    }
    #expect(try Self.guess(sessions, "192.0.2.1") == .limited)
    #expect(try Self.guess(sessions, "10.0.0.1") == .unknown)
    #expect(try Self.guess(sessions, "192.0.2.1", at: Self.start + .seconds(60)) == .unknown)
  }
}
