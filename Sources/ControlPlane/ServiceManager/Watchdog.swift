import DataPlane
import EventLoop

/// Gives signs of life for as long as every worker's loop turns. Belongs to the main thread.
struct Watchdog {
  private let mailboxes: [Mailbox<WorkerMessage>]
  private let answers: Mailbox<Int>
  private let alive: () -> Void
  private var heartbeat: Heartbeat
  private var heard: [Int] = []

  /// - Parameters:
  ///   - timeout: how long whoever watches waits; the workers are asked at half of it, as
  ///     sd_watchdog_enabled(3) recommends.
  ///   - alive: gives the sign.
  init(
    timeout: Duration, mailboxes: [Mailbox<WorkerMessage>], now: MonotonicTime, alive: @escaping () -> Void
  ) throws(SystemError) {
    self.mailboxes = mailboxes
    self.alive = alive
    answers = try Mailbox()
    heartbeat = Heartbeat(workers: mailboxes.count, interval: timeout / 2, now: now)
  }

  /// Readable when workers have answered; then call ``hear()``.
  var descriptor: Int32 { answers.descriptor }

  /// When ``ask(at:)`` has something to do.
  var due: MonotonicTime? { heartbeat.due }

  mutating func ask(at now: MonotonicTime) {
    let answers = answers
    for worker in heartbeat.begin(at: now) { mailboxes[worker].post(.ping { answers.post(worker) }) }
  }

  mutating func hear() {
    answers.drain(into: &heard)
    for worker in heard where heartbeat.answered(worker) { alive() }
  }

  mutating func ended(_ worker: Int) {
    if heartbeat.ended(worker) { alive() }
  }
}
