internal import CLinux
internal import Glibc

/// How a descriptor is watched.
package enum PollMode: Sendable {
  /// Readable, writable and peer-closed, each told once per change: read and send until `.wouldBlock`.
  /// Set once, never changed: a connection costs two epoll_ctl calls in its life, or one (close removes).
  case edge
  /// Readable, told for as long as it holds: listeners, mailboxes, signals.
  case level
  /// As ``level``, for a socket that several threads wait on, each with an epoll instance and a descriptor of
  /// its own: one of them at least is woken, not all (epoll_ctl(2), EPOLLEXCLUSIVE).
  case shared
}

/// One epoll instance. It belongs to the thread that waits on it. `@safe`: the event buffer never leaves it,
/// and is read no further than the kernel wrote.
@safe
package final class Poller {
  private static let capacity = 256
  private let epoll: SharedDescriptor
  private let events: UnsafeMutableBufferPointer<epoll_event>

  /// Throws EMFILE, ENFILE or ENOMEM.
  package init() throws(SystemError) {
    let number = try SystemCall.checked("epoll_create1") { Int(countersign_epoll_create()) }
    epoll = SharedDescriptor(Descriptor(adopting: Int32(truncatingIfNeeded: number)))
    unsafe events = .allocate(capacity: Self.capacity)
    unsafe events.initialize(repeating: epoll_event())
  }

  deinit { unsafe events.deallocate() }

  /// Watches `descriptor` and reports it as `token`. A descriptor is watched at most once (EEXIST); ENOSPC
  /// is the limit of /proc/sys/fs/epoll/max_user_watches.
  package func add(_ descriptor: Int32, token: UInt64, mode: PollMode) throws(SystemError) {
    try control(EPOLL_CTL_ADD, descriptor, token, mode)
  }

  /// Reports a watched descriptor as another token from now on. What it is ready for is told anew, as after
  /// ``add(_:token:mode:)``, so that no edge is lost between the two.
  package func change(_ descriptor: Int32, token: UInt64, mode: PollMode) throws(SystemError) {
    try control(EPOLL_CTL_MOD, descriptor, token, mode)
  }

  private func control(
    _ operation: Int32, _ descriptor: Int32, _ token: UInt64, _ mode: PollMode
  ) throws(SystemError) {
    var event = unsafe epoll_event()
    unsafe event.events =
      switch mode {
      case .edge: countersign_epoll_edge()
      case .level: countersign_epoll_level()
      case .shared: countersign_epoll_shared()
      }
    unsafe event.data.u64 = token
    try SystemCall.checked("epoll_ctl") {
      Int(unsafe epoll_ctl(epoll.number, operation, descriptor, &event))
    }
  }

  /// Stops watching; a descriptor that is not watched is fine. Closing the last descriptor of a socket
  /// removes it too, but one that was duplicated has to be removed by hand (epoll(7), Q6).
  package func remove(_ descriptor: Int32) {
    var event = unsafe epoll_event()  // Linux before 2.6.9 wants a pointer here.
    _ = SystemCall.retrying { Int(unsafe epoll_ctl(epoll.number, EPOLL_CTL_DEL, descriptor, &event)) }
  }

  /// Waits until something is ready or the time is over (-1: no end), and calls `body` for each. An event may
  /// be stale, of a connection that an earlier call of the same batch closed: look the token up.
  /// A signal ends the wait without events.
  package func wait(
    timeoutMilliseconds: Int32, _ body: (UInt64, Readiness) -> Void
  ) throws(SystemError) {
    let outcome = SystemCall.once {
      Int(
        unsafe countersign_epoll_wait(
          epoll.number, events.baseAddress, Int32(Self.capacity), timeoutMilliseconds))
    }
    switch outcome {
    case .failure(EINTR): return
    case .failure(let code): throw SystemError(call: "epoll_wait", code: code)
    case .value(let count):
      for index in 0..<min(count, Self.capacity) {
        let event = unsafe events[index]
        unsafe body(event.data.u64, Readiness(epoll: event.events))
      }
    }
  }
}

@available(*, unavailable, message: "an epoll instance belongs to the thread that waits on it")
extension Poller: Sendable {}
