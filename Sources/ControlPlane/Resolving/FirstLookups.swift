import DataPlane
import EventLoop
import Synchronization

/// Asks for names that are new, for somebody who does not wait longer than is good: a configuration that takes a right
/// away must not wait for a resolver that is silent.
///
/// getaddrinfo(3) cannot be ended. The thread that waits for it is left to it, and asks for nothing more.
final class FirstLookups: Sendable {
  typealias Resolve = @Sendable (UpstreamAddresses.Name) -> Resolution

  private struct Running: Sendable {
    let thread: WorkerThread
    let lookup: Lookup
  }

  private let running = Mutex<[Running]>([])
  private let resolve: Resolve

  init(_ resolve: @escaping Resolve = { NameRefresher.resolve($0) }) { self.resolve = resolve }

  /// - Returns: what was found in that time.
  func resolve(
    _ names: Set<UpstreamAddresses.Name>, within time: Duration
  ) -> [UpstreamAddresses.Name: Resolution] {
    guard !names.isEmpty else { return [:] }
    joinEnded()
    do throws(SystemError) {
      let lookup = try Lookup()
      let poller = try Poller()
      try poller.add(lookup.ended.descriptor, token: 0, mode: .level)
      let thread = try WorkerThread(name: "first-lookup") { [resolve] in lookup.run(names, resolve) }
      running.withLock { $0.append(Running(thread: thread, lookup: lookup)) }
      let end = MonotonicTime.now() + time
      while !lookup.isOver, MonotonicTime.now() < end {
        // That it has ended is all that can be told: nothing is left to take.
        try poller.wait(timeoutMilliseconds: end.timeoutMilliseconds(from: .now())) { _, _ in }
      }
      return lookup.found()
    } catch {
      // No descriptor or thread is to be had: the refresher asks.
      return [:]
    }
  }

  /// Waits for those that a resolver still keeps.
  func join() { join { _ in true } }

  private func joinEnded() { join { $0.isOver } }

  private func join(where isMeant: (Lookup) -> Bool) {
    let meant = running.withLock { running in
      let meant = running.filter { isMeant($0.lookup) }
      running.removeAll { each in meant.contains { $0.lookup === each.lookup } }
      return meant
    }
    for each in meant { each.thread.join() }
  }
}

/// One thread's work.
private final class Lookup: Sendable {
  private struct State {
    var found: [UpstreamAddresses.Name: Resolution] = [:]
    var isAwaited = true
    var isOver = false
  }

  let ended: Mailbox<Void>
  private let state = Mutex(State())

  init() throws(SystemError) { ended = try Mailbox() }

  var isOver: Bool { state.withLock { $0.isOver } }

  /// What was found; nobody waits for more.
  func found() -> [UpstreamAddresses.Name: Resolution] {
    state.withLock { state in
      state.isAwaited = false
      return state.found
    }
  }

  func run(_ names: Set<UpstreamAddresses.Name>, _ resolve: FirstLookups.Resolve) {
    for name in names where state.withLock({ $0.isAwaited }) {
      let resolution = resolve(name)
      state.withLock { $0.found[name] = resolution }
    }
    state.withLock { $0.isOver = true }
    ended.post(())
  }
}
