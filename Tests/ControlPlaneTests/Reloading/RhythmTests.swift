import EventLoop
import Testing

@testable import ControlPlane

/// When files are looked at, and when they are read.
struct RhythmTests {
  private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

  private func at(_ milliseconds: Int64) -> MonotonicTime { start + .milliseconds(milliseconds) }

  @Test func filesAreLookedAtEveryTwoSeconds() {
    var rhythm = Rhythm(now: start)
    #expect(rhythm.due == at(2000))
    #expect(rhythm.next(at(1999)) == .none)
    #expect(rhythm.next(at(2000)) == .look)
    #expect(rhythm.due == at(4000))
  }

  @Test func aChangeIsLeftToSettle() {
    var rhythm = Rhythm(now: start)
    for moment: Int64 in [0, 100, 250] { rhythm.unrest(at(moment)) }
    #expect(rhythm.due == at(450))
    #expect(rhythm.next(at(449)) == .none)
    #expect(rhythm.next(at(450)) == .attempt)
    #expect(rhythm.next(at(450)) == .none)
    #expect(rhythm.due == at(2450))
  }

  @Test func unrestWithoutEndIsNotWaitedFor() {
    var rhythm = Rhythm(now: start)
    for moment in stride(from: Int64(0), to: 2000, by: 150) { rhythm.unrest(at(moment)) }
    #expect(rhythm.next(at(2000)) == .attempt)
  }
}
