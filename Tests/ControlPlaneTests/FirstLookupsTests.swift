import DataPlane
import EventLoop
import Foundation
import Synchronization
import Testing

@testable import ControlPlane

/// New names are asked for, and a resolver that is silent holds nobody up.
struct FirstLookupsTests {
  private static let known = UpstreamAddresses.Name(name: "localhost", port: 5432)
  private static let silent = UpstreamAddresses.Name(name: "silent.example", port: 5432)

  @Test func whatIsAnsweredIsNotWaitedForLonger() {
    let lookups = FirstLookups()
    let begun = MonotonicTime.now()
    let found = lookups.resolve([Self.known], within: .seconds(60))
    #expect(MonotonicTime.now() - begun < .seconds(30))
    #expect(found == NameRefresher.resolveAll([Self.known]))
    lookups.join()
  }

  @Test(.timeLimit(.minutes(1))) func aSilentResolverIsLeftAlone() {
    let answer = DispatchSemaphore(value: 0)
    let asked = Mutex<[UpstreamAddresses.Name]>([])
    let lookups = FirstLookups { name in
      asked.withLock { $0.append(name) }
      if name == Self.silent { answer.wait() }
      return .failed("for the test")
    }
    #expect(lookups.resolve([Self.silent], within: .milliseconds(50)).isEmpty)
    #expect(
      lookups.resolve([Self.known], within: .seconds(60)) == [Self.known: .failed("for the test")],
      "the one before it does not stand in its way")
    // Of two that do not answer, the second is not asked for once nobody waits.
    let others = [Self.silent, UpstreamAddresses.Name(name: "silent.example", port: 5433)]
    let both = FirstLookups { name in
      asked.withLock { $0.append(name) }
      answer.wait()
      return .failed("for the test")
    }
    asked.withLock { $0 = [] }
    #expect(both.resolve(Set(others), within: .milliseconds(500)).isEmpty)
    for _ in 0..<3 { answer.signal() }
    lookups.join()
    both.join()
    #expect(asked.withLock { $0.count } == 1)
  }

  @Test func whatDidNotComeIsAskedForNext() throws {
    let refresher = try NameRefresher(names: [])
    let delivered = Mutex<[UpstreamAddresses.Name]>([])
    let thread = try WorkerThread(name: "resolver") {
      try? refresher.run { name, _ in delivered.withLock { $0.append(name) } }
    }
    refresher.follow([Self.known])
    refresher.resolveNow([Self.known, Self.silent])
    let end = MonotonicTime.now() + .seconds(10)
    while delivered.withLock({ $0.isEmpty }), MonotonicTime.now() < end { continue }
    refresher.stop()
    thread.join()
    #expect(delivered.withLock { $0 } == [Self.known])
  }
}
