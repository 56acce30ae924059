import DataPlane
import EventLoop
import Glibc

/// The main thread while the gateway runs: hears signals, counts workers out, and keeps the drain's deadline.
struct Supervisor {
  let running: RunningGateway
  let signals: SignalSource

  private enum Source: UInt64 { case signals, workers }

  /// - Returns: the process's exit code.
  func run() throws(SystemError) -> Int32 {
    let gateway = running.gateway
    let poller = try Poller()
    try poller.add(signals.descriptor, token: Source.signals.rawValue, mode: .level)
    try poller.add(gateway.ended.descriptor, token: Source.workers.rawValue, mode: .level)
    var workers = gateway.workerCount
    var drainEnd: MonotonicTime?
    var isCutShort = false
    var ended: [Int] = []
    while workers > 0, !isCutShort {
      try poller.wait(timeoutMilliseconds: Self.waitLimit(drainEnd)) { tag, _ in
        switch Source(rawValue: tag) {
        case .workers:
          gateway.ended.drain(into: &ended)
          workers -= ended.count
        case .signals: for signal in signals.read() { isCutShort = hear(signal, &drainEnd) || isCutShort }
        case nil: break
        }
      }
      if let end = drainEnd, end <= MonotonicTime.now() {
        gateway.endConnections()
        // Lingering clients get a little longer; then the workers have ended.
        drainEnd = MonotonicTime.distantFuture
      }
    }
    // At once: nothing is waited for, not even the threads.
    if isCutShort { _exit(1) }
    running.finish()
    return 0
  }

  /// - Returns: whether the process is to end at once.
  private func hear(_ signal: Int32, _ drainEnd: inout MonotonicTime?) -> Bool {
    switch signal {
    case SIGTERM, SIGINT:
      guard drainEnd == nil else { return true }
      running.journal.stopping(
        signal == SIGTERM ? "SIGTERM" : "SIGINT", connections: running.gateway.admission.count)
      drainEnd = MonotonicTime.now() + running.drainTimeout
      running.gateway.drain()
    case SIGUSR1: running.audit.reopen()
    case SIGHUP:
      Console.error(
        "countersign: SIGHUP: reloading is not available; restart the gateway to apply changed files")
    default: break
    }
    return false
  }

  private static func waitLimit(_ end: MonotonicTime?) -> Int32 {
    guard let end, end < .distantFuture else { return -1 }
    return end.timeoutMilliseconds(from: MonotonicTime.now())
  }
}
