import DataPlane
import EventLoop
import Synchronization

/// What a running gateway can be told from any thread: above all, to go on under another snapshot.
final class GatewayControl: Sendable {
  /// How long a worker may take to adopt a snapshot before nobody waits for it any more.
  private static let patience = Duration.seconds(5)
  /// How long names that are new are waited for before the workers go on without them.
  private static let resolverPatience = Duration.seconds(2)

  let board: ListenerBoard
  let mailboxes: [Mailbox<WorkerMessage>]
  let refresher: NameRefresher
  let watch: HealthWatch
  let lookups = FirstLookups()
  private let admission: Admission
  private let current: Mutex<Snapshot>

  init(
    board: ListenerBoard, mailboxes: [Mailbox<WorkerMessage>], admission: Admission, refresher: NameRefresher,
    watch: HealthWatch, snapshot: Snapshot
  ) {
    self.board = board
    self.mailboxes = mailboxes
    self.admission = admission
    self.refresher = refresher
    self.watch = watch
    current = Mutex(snapshot)
  }

  /// What the gateway runs on.
  var snapshot: Snapshot { current.withLock { $0 } }

  /// What is wrong with what was handed over, as things are.
  var warning: String? {
    board.warning(unlessNamedBy: snapshot.handedOverNames).map { "countersign: warning: \($0)" }
  }

  /// The wall clock was set.
  func clockWasSet() { for mailbox in mailboxes { mailbox.post(.clockWasSet) } }

  /// What is needed to hear that the workers have adopted a snapshot: had before anything is changed, so that nothing
  /// can fail once it is.
  struct Hearing {
    fileprivate let answers: Mailbox<Int>
    fileprivate let poller: Poller

    init() throws(SystemError) {
      answers = try Mailbox()
      poller = try Poller()
      try poller.add(answers.descriptor, token: 0, mode: .level)
    }
  }

  /// Goes on under what ``ListenerBoard/plan(_:)`` has planned for `snapshot`. By one thread alone.
  func adopt(_ snapshot: Snapshot, _ plan: ListenerBoard.Plan, maxConnections: Int, _ hearing: Hearing) {
    let names = snapshot.resolvedNames
    let new = names.subtracting(self.snapshot.resolvedNames)
    let resolutions = lookups.resolve(new, within: Self.resolverPatience)
    let limits = board.carryOut(plan, snapshot.listeners, maxConnections: maxConnections)
    admission.limit = maxConnections
    refresher.follow(names)
    watch.follow(ProbedUpstream.all(of: snapshot), resolutions: resolutions)
    for (index, mailbox) in mailboxes.enumerated() {
      var opened: [SnapshotChange.Opened] = []
      for each in plan.opened {
        guard let limit = limits[each.listener.name] else { continue }
        opened += each.sockets[index].map {
          SnapshotChange.Opened(listener: each.listener.name, socket: $0, mode: each.mode, admission: limit)
        }
      }
      mailbox.post(
        .adopt(
          SnapshotChange(
            snapshot: snapshot, kept: plan.kept, opened: opened, resolutions: resolutions,
            adopted: { [answers = hearing.answers] in answers.post(index) })))
    }
    // Behind the snapshot that names them: workers keep no addresses of other names.
    refresher.resolveNow(new.subtracting(resolutions.keys))
    current.withLock { $0 = snapshot }
    wait(hearing)
    watch.pools.keep(Set(snapshot.listeners.map(\.upstream.name)))
  }

  /// Waits until every worker serves by what it was given. One that has drained gives no answer, and one that hangs
  /// will adopt it before everything else that it does.
  private func wait(_ hearing: Hearing) {
    let end = MonotonicTime.now() + Self.patience
    var missing = mailboxes.count
    var heard: [Int] = []
    while missing > 0, !board.isDraining, MonotonicTime.now() < end {
      do throws(SystemError) {
        try hearing.poller.wait(timeoutMilliseconds: min(100, end.timeoutMilliseconds(from: .now()))) {
          _, _ in
          hearing.answers.drain(into: &heard)
          missing -= heard.count
        }
      } catch {
        return
      }
    }
  }
}
