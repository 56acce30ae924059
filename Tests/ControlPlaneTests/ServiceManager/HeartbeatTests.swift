import EventLoop
import Testing

@testable import ControlPlane

/// Rounds of questions, without a clock or a worker.
struct HeartbeatTests {
  private static let start = MonotonicTime(nanoseconds: 1_000)

  @Test func aRoundIsOverWithTheLastAnswer() {
    var heartbeat = Heartbeat(workers: 3, interval: .seconds(5), now: Self.start)
    #expect(heartbeat.due == Self.start)
    expect(&heartbeat, at: Self.start, asks: [0, 1, 2])
    #expect(heartbeat.due == nil)
    expect(&heartbeat, answered: 2, isLast: false)
    expect(&heartbeat, answered: 0, isLast: false)
    expect(&heartbeat, answered: 1, isLast: true)
    #expect(heartbeat.due == Self.start + .seconds(5))
  }

  @Test func theNextRoundWaitsForItsTime() {
    var heartbeat = Heartbeat(workers: 3, interval: .seconds(5), now: Self.start)
    for worker in heartbeat.begin(at: Self.start) { _ = heartbeat.answered(worker) }
    expect(&heartbeat, at: Self.start + .seconds(4), asks: [])
    expect(&heartbeat, at: Self.start + .seconds(5), asks: [0, 1, 2])
  }

  @Test func aWorkerThatHangsStopsTheRounds() {
    var heartbeat = Heartbeat(workers: 3, interval: .seconds(5), now: Self.start)
    _ = heartbeat.begin(at: Self.start)
    expect(&heartbeat, answered: 0, isLast: false)
    expect(&heartbeat, answered: 1, isLast: false)
    #expect(heartbeat.due == nil)
    expect(&heartbeat, at: Self.start + .seconds(3600), asks: [])
    // It was slow, and is back: the next round is overdue.
    expect(&heartbeat, answered: 2, isLast: true)
    expect(&heartbeat, at: Self.start + .seconds(3600), asks: [0, 1, 2])
  }

  @Test func anAnswerCountsOnce() {
    var heartbeat = Heartbeat(workers: 3, interval: .seconds(5), now: Self.start)
    _ = heartbeat.begin(at: Self.start)
    expect(&heartbeat, answered: 0, isLast: false)
    expect(&heartbeat, answered: 0, isLast: false)
    expect(&heartbeat, answered: 0, isLast: false)
    expect(&heartbeat, answered: 7, isLast: false)
    #expect(heartbeat.due == nil)
  }

  @Test func aDrainedWorkerIsNotWaitedFor() {
    var heartbeat = Heartbeat(workers: 3, interval: .seconds(5), now: Self.start)
    _ = heartbeat.begin(at: Self.start)
    expect(&heartbeat, answered: 0, isLast: false)
    expect(&heartbeat, ended: 1, isLast: false)
    expect(&heartbeat, ended: 2, isLast: true)
    expect(&heartbeat, at: Self.start + .seconds(5), asks: [0])
    expect(&heartbeat, ended: 0, isLast: true)
    #expect(heartbeat.due == nil)
    expect(&heartbeat, at: Self.start + .seconds(10), asks: [])
  }

  // `#expect` takes its operands as they are, and these change the rounds.

  private func expect(
    _ heartbeat: inout Heartbeat, answered worker: Int, isLast: Bool,
    at place: Testing.SourceLocation = #_sourceLocation
  ) {
    let answer = heartbeat.answered(worker)
    #expect(answer == isLast, sourceLocation: place)
  }

  private func expect(
    _ heartbeat: inout Heartbeat, ended worker: Int, isLast: Bool,
    at place: Testing.SourceLocation = #_sourceLocation
  ) {
    let answer = heartbeat.ended(worker)
    #expect(answer == isLast, sourceLocation: place)
  }

  private func expect(
    _ heartbeat: inout Heartbeat, at moment: MonotonicTime, asks workers: Set<Int>,
    place: Testing.SourceLocation = #_sourceLocation
  ) {
    let asked = heartbeat.begin(at: moment)
    #expect(asked == workers, sourceLocation: place)
  }
}
