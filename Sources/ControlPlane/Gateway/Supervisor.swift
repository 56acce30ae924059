import DataPlane
import EventLoop
import Glibc

/// The main thread while the gateway runs: hears signals, counts workers out, keeps the drain's deadline, and
/// tells the service manager how things are.
struct Supervisor {
  private let running: RunningGateway
  private let signals: SignalSource
  private let manager: ServiceManager
  private let poller: Poller
  private var watchdog: Watchdog?
  /// How many workers have not ended.
  private var workers: Int
  private var drainEnd: MonotonicTime?
  private var isCutShort = false

  private enum Source: UInt64 { case signals, workers, watchdog, reloads }

  init(running: RunningGateway, signals: SignalSource, manager: ServiceManager) throws(SystemError) {
    self.running = running
    self.signals = signals
    self.manager = manager
    let gateway = running.gateway
    workers = gateway.workerCount
    poller = try Poller()
    try poller.add(signals.descriptor, token: Source.signals.rawValue, mode: .level)
    try poller.add(gateway.ended.descriptor, token: Source.workers.rawValue, mode: .level)
    try poller.add(running.reloader.answers.descriptor, token: Source.reloads.rawValue, mode: .level)
    guard let timeout = manager.watchdogTimeout else { return }
    let watchdog = try Watchdog(
      timeout: timeout, mailboxes: gateway.control.mailboxes, now: .now(), alive: manager.alive)
    try poller.add(watchdog.descriptor, token: Source.watchdog.rawValue, mode: .level)
    self.watchdog = watchdog
  }

  /// Runs until every worker has ended.
  /// - Returns: the process's exit code.
  mutating func run() throws(SystemError) -> Int32 {
    let gateway = running.gateway
    tellReady()
    while workers > 0, !isCutShort {
      watchdog?.ask(at: .now())
      var ready: [Source] = []
      try poller.wait(timeoutMilliseconds: waitLimit()) { tag, _ in
        if let source = Source(rawValue: tag) { ready.append(source) }
      }
      for source in ready { hear(source) }
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

  private mutating func hear(_ source: Source) {
    switch source {
    case .signals: for signal in signals.read() { hear(signal: signal) }
    case .workers:
      var ended: [Int] = []
      running.gateway.ended.drain(into: &ended)
      workers -= ended.count
      for worker in ended { watchdog?.ended(worker) }
    case .watchdog: watchdog?.hear()
    case .reloads:
      var answers: [Void] = []
      running.reloader.answers.drain(into: &answers)
      // Who has said that it stops is not ready any more.
      if drainEnd == nil { tellReady() }
    }
  }

  private func tellReady() {
    manager.ready(sockets: running.gateway.listeners.count, workers: running.gateway.workerCount)
  }

  private mutating func hear(signal: Int32) {
    switch signal {
    case SIGTERM, SIGINT:
      stop(signal == SIGTERM ? "SIGTERM" : "SIGINT")
    case SIGUSR1: running.audit.reopen()
    case SIGHUP:
      if drainEnd == nil { manager.reloading() }
      running.reloader.request()
    default: break
    }
  }

  /// Drains; the second time, ends at once. Says so only to a standard error that takes it: nobody who reads slowly
  /// holds an end up.
  private mutating func stop(_ signal: String) {
    let connections = running.gateway.admission.count
    guard drainEnd == nil else {
      isCutShort = true
      Console.errorAtOnce(
        "countersign: \(signal): exiting at once; \(connections) connection(s) end without their record")
      return
    }
    let timeout = running.reloader.status.report.drainTimeout
    running.journal.stopping(signal, connections: connections)
    manager.stopping(connections: connections)
    drainEnd = MonotonicTime.now() + timeout
    running.gateway.drain()
    Console.errorAtOnce(
      "countersign: \(signal): draining \(connections) connection(s) for at most \(timeout.components.seconds) s; "
        + "a second signal ends at once")
  }

  private func waitLimit() -> Int32 {
    let next = min(drainEnd ?? .distantFuture, watchdog?.due ?? .distantFuture)
    return next < .distantFuture ? next.timeoutMilliseconds(from: MonotonicTime.now()) : -1
  }
}
