import DataPlane
import EventLoop
import Synchronization
import Testing

@testable import ControlPlane

/// Signs of life, with workers that answer when the test wants.
struct WatchdogTests {
  private static let start = MonotonicTime(nanoseconds: 0)
  private let mailboxes: [Mailbox<WorkerMessage>]

  init() throws { mailboxes = [try Mailbox(), try Mailbox()] }

  /// What a worker does with its messages.
  /// - Returns: how many it had.
  @discardableResult
  private func turn(_ worker: Int) -> Int {
    var messages: [WorkerMessage] = []
    mailboxes[worker].drain(into: &messages)
    for case .ping(let answer) in messages { answer() }
    return messages.count
  }

  @Test func theSignIsGivenWhenAllHaveAnswered() throws {
    let signs = Mutex(0)
    var watchdog = try Watchdog(timeout: .seconds(10), mailboxes: mailboxes, now: Self.start) {
      signs.withLock { $0 += 1 }
    }
    watchdog.ask(at: Self.start)
    #expect(turn(0) == 1)
    watchdog.hear()
    #expect(signs.withLock { $0 } == 0)
    #expect(turn(1) == 1)
    watchdog.hear()
    #expect(signs.withLock { $0 } == 1)
    #expect(watchdog.due == Self.start + .seconds(5))
    watchdog.ask(at: Self.start + .seconds(5))
    turn(1)
    turn(0)
    watchdog.hear()
    #expect(signs.withLock { $0 } == 2)
  }

  @Test func aWorkerThatHangsStopsTheSignsAndIsAskedOnce() throws {
    let signs = Mutex(0)
    var watchdog = try Watchdog(timeout: .seconds(10), mailboxes: mailboxes, now: Self.start) {
      signs.withLock { $0 += 1 }
    }
    for second in 0..<100 {
      watchdog.ask(at: Self.start + .seconds(second))
      turn(0)
      watchdog.hear()
    }
    #expect(signs.withLock { $0 } == 0)
    #expect(turn(1) == 1)
    watchdog.hear()
    #expect(signs.withLock { $0 } == 1)
  }

  @Test func anEndedWorkerDoesNotHoldTheSignBack() throws {
    let signs = Mutex(0)
    var watchdog = try Watchdog(timeout: .seconds(10), mailboxes: mailboxes, now: Self.start) {
      signs.withLock { $0 += 1 }
    }
    watchdog.ask(at: Self.start)
    turn(0)
    watchdog.hear()
    watchdog.ended(1)
    #expect(signs.withLock { $0 } == 1)
  }
}
