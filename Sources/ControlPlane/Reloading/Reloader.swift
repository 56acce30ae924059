import AccessPolicy
import EventLoop

/// The thread that follows the configuration: told by a signal, by the kernel that files have changed, or by looking
/// at them every two seconds. One attempt at a time; whatever comes meanwhile makes one more.
final class Reloader: Sendable {
  private enum Command: Sendable { case reload, stop }
  private enum Source: UInt64 { case commands, folders, clock }

  /// Files are left to settle for so long after the last news of a change…
  static let quiet = Duration.milliseconds(200)
  /// …but not longer than this after the first.
  static let longestUnrest = Duration.seconds(2)
  static let interval = Duration.seconds(2)

  /// Hears that a requested attempt is over.
  let answers: Mailbox<Void>
  let status: ReloadStatus
  private let commands: Mailbox<Command>
  private let clock: ClockSetting

  init(status: ReloadStatus) throws(SystemError) {
    self.status = status
    answers = try Mailbox()
    commands = try Mailbox()
    clock = try ClockSetting()
  }

  /// Asks for an attempt, whether or not something has changed.
  func request() { commands.post(.reload) }

  func stop() { commands.post(.stop) }

  /// What the thread waits with, opened before the gateway says that it has started. Belongs to that thread.
  struct Lookout {
    fileprivate let poller: Poller
    fileprivate let watch = DirectoryWatch { Console.error($0) }

    init() throws(SystemError) { poller = try Poller() }
  }

  /// Follows the configuration until stopped; the body of a thread.
  func run(_ reload: Reload, _ control: GatewayControl, _ lookout: Lookout) throws(SystemError) {
    var reload = reload
    var rhythm = Rhythm(now: .now())
    let (poller, watch) = (lookout.poller, lookout.watch)
    try poller.add(commands.descriptor, token: Source.commands.rawValue, mode: .level)
    try poller.add(clock.descriptor, token: Source.clock.rawValue, mode: .level)
    if let number = watch.descriptor { try poller.add(number, token: Source.folders.rawValue, mode: .level) }
    var waiting: [Command] = []
    watch.follow(reload.trace.folders)
    while true {
      waiting.removeAll(keepingCapacity: true)
      try poller.wait(timeoutMilliseconds: rhythm.due.timeoutMilliseconds(from: .now())) { tag, _ in
        switch Source(rawValue: tag) {
        case .commands?: commands.drain(into: &waiting)
        case .folders?:
          watch.drain()
          rhythm.unrest(.now())
        case .clock?: if clock.take() { control.clockWasSet() }
        case nil: break
        }
      }
      if waiting.contains(where: { if case .stop = $0 { true } else { false } }) { return }
      if !waiting.isEmpty {
        tell(reload.attempt(), control, isAsked: true)
        answers.post(())
        watch.follow(reload.trace.folders)
      }
      let step = rhythm.next(.now())
      guard step != .none else { continue }
      if reload.isDue {
        switch step {
        // What a look finds may be half-written, too.
        case .look: rhythm.unrest(.now())
        case .attempt, .none: tell(reload.attempt(), control, isAsked: false)
        }
      }
      watch.follow(reload.trace.folders)
    }
  }

  private func tell(_ outcome: Reload.Outcome, _ control: GatewayControl, isAsked: Bool) {
    // Of what runs.
    var warnings: String {
      FindingsReport(status.report.warnings).text + (control.warning.map { $0 + "\n" } ?? "")
    }
    switch outcome {
    case .loaded: Console.error(warnings + "countersign: reloaded: the changed configuration is live")
    case .withdrawn:
      Console.error(
        warnings + "countersign: reload: the files are what runs again; nothing is refused any more")
    case .unchanged:
      // Whoever asks hears what is wrong with it by now, such as a certificate that has expired since.
      if isAsked { Console.error(warnings + "countersign: reload: nothing has changed") }
    case .rejected, .stillRejected:
      guard isAsked || outcome == .rejected else { return }
      let report = FindingsReport(status.report.findings)
      Console.error(
        report.text
          + "countersign: reload rejected: \(report.summary); the configuration before it stays live")
    }
  }
}

/// When the thread looks at the files, and when it reads them. Pure.
struct Rhythm {
  enum Step { case none, look, attempt }

  private var first: MonotonicTime?
  private var settled = MonotonicTime.distantFuture
  private var nextLook: MonotonicTime

  init(now: MonotonicTime) { nextLook = now + Reloader.interval }

  /// Something may have changed.
  mutating func unrest(_ now: MonotonicTime) {
    let first = first ?? now
    self.first = first
    settled = min(now + Reloader.quiet, first + Reloader.longestUnrest)
  }

  var due: MonotonicTime { min(settled, nextLook) }

  mutating func next(_ now: MonotonicTime) -> Step {
    if settled <= now {
      first = nil
      settled = .distantFuture
      nextLook = now + Reloader.interval
      return .attempt
    }
    guard nextLook <= now else { return .none }
    nextLook = now + Reloader.interval
    return .look
  }
}
