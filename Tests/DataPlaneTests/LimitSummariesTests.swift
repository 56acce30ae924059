import EventLoop
import Testing

@testable import DataPlane

/// A flood makes few records, and none of its clients is lost to them.
struct LimitSummariesTests {
  private typealias Summaries = LimitSummaries<Int>
  private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

  private func key(_ source: UInt128?) -> Summaries.Key {
    .init(limit: "connection_rate_per_source", listener: "front", source: source)
  }

  @Test func theFirstIsToldAndTheOthersOfASecondAreSummedUp() {
    var summaries = Summaries()
    #expect(summaries.note(key(1), at: start) { 0 })
    #expect(summaries.arm() == start + .seconds(1))
    for client in 1...9 { #expect(!summaries.note(key(1), at: start) { client }) }
    #expect(summaries.note(key(2), at: start) { 0 })
    #expect(summaries.arm() == nil)
    #expect(summaries.due(at: start + .milliseconds(999)).isEmpty)
    let told = summaries.due(at: start + .seconds(1))
    #expect(told.map(\.count) == [9] && told.map(\.sample) == [1])
    // Who goes on is still told once a second; who has stopped is forgotten.
    #expect(summaries.arm() == start + .seconds(2))
    #expect(!summaries.note(key(1), at: start + .seconds(1)) { 0 })
    #expect(summaries.note(key(2), at: start + .seconds(1)) { 0 })
    #expect(summaries.due(at: start + .seconds(2)).map(\.count) == [1])
    #expect(summaries.due(at: start + .seconds(3)).isEmpty)
    #expect(summaries.arm() == nil)
  }

  @Test func manySourcesAreToldTogether() {
    var summaries = Summaries()
    var told = 0
    for source in 0..<10_000 where summaries.note(key(UInt128(source)), at: start, sample: { 0 }) {
      told += 1
    }
    #expect(told == 65)
    let rest = summaries.due(at: start + .seconds(1))
    #expect(rest.count == 1 && rest.first?.count == 10_000 - told && rest.first?.key.source == nil)
  }

  @Test func theEndTellsAll() {
    var summaries = Summaries()
    for _ in 0..<3 { _ = summaries.note(key(1), at: start) { 0 } }
    #expect(summaries.due(at: nil).map(\.count) == [2])
    #expect(summaries.due(at: nil).isEmpty)
  }
}
