internal import CLinux
internal import Glibc
internal import Synchronization

/// One system thread. Every signal is blocked in it: signals belong to the thread with the `SignalSource`.
package final class WorkerThread: Sendable {
  private let handle: Mutex<pthread_t?>

  /// Starts the thread. The kernel shows 15 bytes of `name` (pthread_setname_np); the rest is cut.
  /// Throws EAGAIN where the limit of threads is reached.
  package init(name: String, body: @escaping @Sendable () -> Void) throws(SystemError) {
    let start = unsafe Unmanaged.passRetained(ThreadStart(name: name, body: body))
    var thread = pthread_t()
    // The thread inherits the mask, so there is no moment in which a signal could reach it.
    let mask = SignalMask.blockAll()
    let code = unsafe pthread_create(&thread, nil, runThread, start.toOpaque())
    mask.restore()
    guard code == 0 else {
      unsafe start.release()
      throw SystemError(call: "pthread_create", code: code)
    }
    handle = Mutex(thread)
  }

  /// Waits until the body has returned. A second call returns at once.
  package func join() {
    let thread = handle.withLock { $0.take() }
    guard let thread else { return }
    let code = pthread_join(thread, nil)
    precondition(code == 0, "pthread_join of a thread that cannot be joined (itself?)")
  }

  deinit {
    // A thread without an owner has no way to be told to stop.
    let thread = handle.withLock { $0.take() }
    guard let thread else { return }
    assertionFailure("a worker thread was dropped without join()")
    pthread_detach(thread)
  }
}

/// What the thread gets through the one pointer of pthread_create.
private final class ThreadStart: Sendable {
  let name: String
  let body: @Sendable () -> Void

  init(name: String, body: @escaping @Sendable () -> Void) {
    self.name = name
    self.body = body
  }
}

private func runThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument = unsafe argument else { return nil }
  // Balances passRetained in init; this thread is the only one that takes it.
  let start = unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
  let shortName = String(decoding: start.name.utf8.prefix(15), as: UTF8.self)
  _ = unsafe pthread_setname_np(pthread_self(), shortName)
  start.body()
  return nil
}

/// The signal mask of the calling thread, to be put back.
struct SignalMask: ~Copyable {
  private var previous: sigset_t

  static func blockAll() -> SignalMask {
    var all = sigset_t()
    var previous = sigset_t()
    _ = unsafe sigfillset(&all)
    _ = unsafe pthread_sigmask(SIG_SETMASK, &all, &previous)
    return SignalMask(previous: previous)
  }

  consuming func restore() {
    _ = unsafe pthread_sigmask(SIG_SETMASK, &previous, nil)
  }
}
