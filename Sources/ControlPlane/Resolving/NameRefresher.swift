package import DataPlane
package import EventLoop
import Synchronization

/// Resolves upstream names off the workers: at the start, at an interval, and soon after an address failed.
///
/// getaddrinfo(3) tells no time to live, so names are asked for again every ``interval``; a resolver cache on
/// the machine answers most of these.
package final class NameRefresher: Sendable {
  /// How old an answer may get.
  package static let interval = Duration.seconds(30)
  /// How soon a name is asked for again at the earliest, however often its addresses fail.
  package static let earliest = Duration.seconds(1)

  private struct State {
    var due: [UpstreamAddresses.Name: MonotonicTime]
    var asked: [UpstreamAddresses.Name: MonotonicTime] = [:]
    var isStopped = false
  }

  private let state: Mutex<State>
  private let wakeUp: Mailbox<Void>

  /// - Throws: a ``SystemError`` where the kernel refuses an eventfd.
  package init(names: Set<UpstreamAddresses.Name>) throws(SystemError) {
    let now = MonotonicTime.now()
    wakeUp = try Mailbox()
    state = Mutex(State(due: Dictionary(uniqueKeysWithValues: names.map { ($0, now + Self.interval) })))
  }

  /// Asks for every name once, in turn; blocks as long as the resolver takes.
  package static func resolveAll(
    _ names: Set<UpstreamAddresses.Name>
  ) -> [UpstreamAddresses.Name: Resolution] {
    Dictionary(uniqueKeysWithValues: names.map { ($0, resolve($0)) })
  }

  /// Moves the next look-up of `name` forward; called by workers, never blocks for long.
  package func resolveSoon(_ name: UpstreamAddresses.Name) {
    let now = MonotonicTime.now()
    state.withLock { state in
      guard let due = state.due[name] else { return }
      let earliest = (state.asked[name] ?? now) + Self.earliest
      state.due[name] = min(due, max(now, earliest))
    }
    wakeUp.post(())
  }

  /// Asks for these names next: nothing is known of them yet.
  func resolveNow(_ names: Set<UpstreamAddresses.Name>) {
    let now = MonotonicTime.now()
    state.withLock { state in
      for name in names where state.due[name] != nil { state.due[name] = now }
    }
    wakeUp.post(())
  }

  /// Looks after other names from now on.
  package func follow(_ names: Set<UpstreamAddresses.Name>) {
    let now = MonotonicTime.now()
    state.withLock { state in
      state.asked = state.asked.filter { names.contains($0.key) }
      state.due = Dictionary(
        uniqueKeysWithValues: names.map { [due = state.due] in ($0, due[$0] ?? now + Self.interval) })
    }
    wakeUp.post(())
  }

  package func stop() {
    state.withLock { $0.isStopped = true }
    wakeUp.post(())
  }

  /// Looks names up as they fall due, until stopped; the body of a thread.
  package func run(_ deliver: (UpstreamAddresses.Name, Resolution) -> Void) throws(SystemError) {
    let poller = try Poller()
    var woken: [Void] = []
    try poller.add(wakeUp.descriptor, token: 0, mode: .level)
    while true {
      let (next, isStopped) = state.withLock { ($0.due.min { $0.value < $1.value }, $0.isStopped) }
      if isStopped { return }
      let wait = next?.value.timeoutMilliseconds(from: MonotonicTime.now()) ?? -1
      guard let next, wait == 0 else {
        try poller.wait(timeoutMilliseconds: wait) { _, _ in wakeUp.drain(into: &woken) }
        continue
      }
      let resolution = Self.resolve(next.key)
      let now = MonotonicTime.now()
      state.withLock {
        // It may have gone while it was asked for.
        guard $0.due[next.key] != nil else { return }
        $0.asked[next.key] = now
        $0.due[next.key] = now + Self.interval
      }
      deliver(next.key, resolution)
    }
  }

  static func resolve(_ name: UpstreamAddresses.Name) -> Resolution {
    do {
      let found = try Resolver.resolve(name: name.name, port: name.port)
      return .addresses(found.map { UpstreamTarget($0, of: name) })
    } catch {
      return .failed("\(error)")
    }
  }
}
