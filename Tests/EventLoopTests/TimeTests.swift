import EventLoop
import Glibc
import Testing

@Suite struct TimeTests {
  @Test func theMonotonicClockNeverGoesBack() {
    var last = MonotonicTime.now()
    for _ in 0..<1_000 {
      let next = MonotonicTime.now()
      #expect(next >= last)
      last = next
    }
  }

  @Test func theWallClockIsTheSystems() {
    let before = time(nil)
    let seconds = wallClockNanoseconds() / 1_000_000_000
    let after = time(nil)
    // time(2) may lag by a tick behind clock_gettime.
    #expect((before - 1...after + 1).contains(Int(seconds)))
  }

  @Test(arguments: [
    (0, Duration.seconds(2), 2_000_000_000),
    (5, .milliseconds(-1), -999_995),
    (0, .nanoseconds(1), 1),
    (1, .seconds(Int64.max), Int64.max),
    (Int64.max, .seconds(1), Int64.max),
    (Int64.min, .seconds(-1), Int64.min),
    (0, .seconds(Int64.min), Int64.min),
  ])
  func addingNeverTraps(_ start: Int64, _ step: Duration, _ sum: Int64) {
    #expect((MonotonicTime(nanoseconds: start) + step).nanoseconds == sum)
  }

  @Test(arguments: [
    (10, 3, Duration.nanoseconds(7)),
    (3, 10, .nanoseconds(-7)),
    (Int64.max, -1, .nanoseconds(Int64.max)),
    (Int64.min, 1, .nanoseconds(Int64.min)),
  ])
  func subtractingNeverTraps(_ left: Int64, _ right: Int64, _ difference: Duration) {
    #expect(MonotonicTime(nanoseconds: left) - MonotonicTime(nanoseconds: right) == difference)
  }

  @Test(
    arguments: [
      (100, 100, 0), (99, 100, 0), (101, 100, 1), (1_000_100, 100, 1), (1_000_101, 100, 2),
      (Int64.max, 0, Int32.max), (Int64.max, Int64.min, Int32.max),
    ] as [(Int64, Int64, Int32)])
  func aTimeoutIsRoundedUp(_ deadline: Int64, _ now: Int64, _ milliseconds: Int32) {
    let timeout = MonotonicTime(nanoseconds: deadline)
      .timeoutMilliseconds(from: MonotonicTime(nanoseconds: now))
    #expect(timeout == milliseconds)
  }
}

@Suite struct TimerQueueTests {
  @Test func whatIsKeptComesInItsOrder() {
    var queue = TimerQueue()
    let order: [Int64] = (0..<100).map { ($0 * 37) % 101 }
    for number in order {
      queue.push(MonotonicTime(nanoseconds: number), Token(slot: UInt32(number), generation: 0))
    }
    queue.keep { $0.slot % 3 == 0 }
    var kept: [UInt32] = []
    while let token = queue.popDue(MonotonicTime(nanoseconds: 1000)) { kept.append(token.slot) }
    #expect(kept == order.filter { $0 % 3 == 0 }.sorted().map { UInt32($0) })
    queue.keep { _ in true }
    #expect(queue.count == 0)
  }

  @Test func deadlinesComeOutInOrder() {
    var queue = TimerQueue()
    var random: UInt64 = 0x9e37_79b9_7f4a_7c15
    var deadlines: [Int64] = []
    for slot in 0..<1_000 {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      deadlines.append(Int64(random >> 40) % 500)  // many are equal
      queue.push(MonotonicTime(nanoseconds: deadlines[slot]), Token(slot: UInt32(slot), generation: 0))
    }
    #expect(queue.count == 1_000)
    #expect(queue.earliest?.nanoseconds == deadlines.min())
    var order: [Int64] = []
    var tokens: Set<Token> = []
    while let token = queue.popDue(.distantFuture) {
      order.append(deadlines[Int(token.slot)])
      tokens.insert(token)
    }
    #expect(order == deadlines.sorted())
    #expect(tokens.count == 1_000)
    #expect(queue.earliest == nil)
  }

  @Test func onlyWhatIsDueComesOut() {
    var queue = TimerQueue()
    let (early, late) = (Token(slot: 1, generation: 0), Token(slot: 2, generation: 0))
    queue.push(MonotonicTime(nanoseconds: 20), late)
    queue.push(MonotonicTime(nanoseconds: 10), early)
    #expect(queue.popDue(MonotonicTime(nanoseconds: 9)) == nil)
    #expect(queue.popDue(MonotonicTime(nanoseconds: 10)) == early)
    #expect(queue.popDue(MonotonicTime(nanoseconds: 19)) == nil)
    #expect(queue.popDue(MonotonicTime(nanoseconds: 20)) == late)
  }

  @Test func aTokenMayWaitTwice() {
    var queue = TimerQueue()
    let token = Token(slot: 1, generation: 3)
    queue.push(MonotonicTime(nanoseconds: 1), token)
    queue.push(MonotonicTime(nanoseconds: 2), token)
    #expect(queue.popDue(.distantFuture) == token)
    #expect(queue.popDue(.distantFuture) == token)
    #expect(queue.popDue(.distantFuture) == nil)
  }
}
