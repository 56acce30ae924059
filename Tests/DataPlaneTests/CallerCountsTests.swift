import Testing

@testable import DataPlane

struct CallerCountsTests {
  @Test func nobodyEntersAtTheLimitUntilSomebodyLeaves() {
    let counts = CallerCounts()
    #expect(counts.enter("a", limit: 2) && counts.enter("a", limit: 2))
    #expect(!counts.enter("a", limit: 2))
    #expect(counts.enter("b", limit: 2))
    counts.leave("a")
    #expect(counts.enter("a", limit: 2) && !counts.enter("a", limit: 2))
  }

  @Test func thoseWithoutALimitCountAgainstALaterOne() {
    let counts = CallerCounts()
    for _ in 0..<5 { #expect(counts.enter("a", limit: 0)) }
    #expect(!counts.enter("a", limit: 5))
    counts.leave("a")
    #expect(counts.enter("a", limit: 5))
  }

  @Test func twoWaysToWriteOneLetterAreTwoCallers() {
    let counts = CallerCounts()
    #expect(counts.enter("caf\u{e9}", limit: 1) && counts.enter("cafe\u{301}", limit: 1))
  }

  @Test func callersThatAreGoneTakeNoRoom() {
    let counts = CallerCounts()
    for caller in 0..<1000 {
      _ = counts.enter("caller/\(caller)", limit: 1)
      counts.leave("caller/\(caller)")
    }
    #expect(counts.callers == 0)
  }
}
