package import AuditLog
package import DataPlane
package import EventLoop
import GatewayConfiguration

/// The running gateway: its workers with their sockets, and the threads that resolve names and watch upstreams.
package final class Gateway {
  package let admission: Admission
  package let workerCount: Int
  /// Hears of every worker that has ended.
  package let ended: Mailbox<Int>
  /// What other threads may ask of it.
  let control: GatewayControl
  private let workers: [Worker]
  private var threads: [WorkerThread] = []

  /// Opens all sockets; nobody is served before ``start()``.
  /// - Throws: ``ListenError``, or a ``SystemError`` where the kernel refuses something else.
  package init(
    snapshot: Snapshot, audit: any AuditSink, encoder: RecordEncoder, workerCount: Int, maxConnections: Int,
    handedOver: HandedOverSockets
  ) throws {
    let names = snapshot.resolvedNames
    let refresher = try NameRefresher(names: names)
    let resolutions = NameRefresher.resolveAll(names)
    let watch = try HealthWatch(ProbedUpstream.all(of: snapshot), resolutions: resolutions)
    let admission = Admission(limit: maxConnections)
    let environment = WorkerEnvironment(
      audit: audit, encoder: encoder, admission: admission, workerCount: workerCount,
      upstreams: watch.pools, resolveAgain: { refresher.resolveSoon($0) })
    let workers = try (0..<workerCount).map { _ in
      try Worker(snapshot: snapshot, environment: environment, resolutions: resolutions)
    }
    self.ended = try Mailbox()
    let board = ListenerBoard(ListenerOpening(workerCount: workerCount, handedOver: handedOver))
    control = GatewayControl(
      board: board, mailboxes: workers.map(\.mailbox), admission: admission, refresher: refresher,
      watch: watch,
      snapshot: snapshot)
    self.admission = admission
    self.workerCount = workerCount
    self.workers = workers
    try Self.open(snapshot, board, workers, maxConnections)
  }

  private static func open(
    _ snapshot: Snapshot, _ board: ListenerBoard, _ workers: [Worker], _ maxConnections: Int
  ) throws {
    let plan = try board.plan(snapshot.listeners)
    let limits = board.carryOut(plan, snapshot.listeners, maxConnections: maxConnections)
    do {
      for opened in plan.opened {
        guard let limit = limits[opened.listener.name] else { continue }
        for (worker, sockets) in zip(workers, opened.sockets) {
          for socket in sockets {
            guard let socket = socket.take() else { continue }
            try worker.listen(opened.listener, on: socket, mode: opened.mode, admission: limit)
          }
        }
      }
    } catch {
      board.drain()
      throw error
    }
  }

  /// The addresses as bound, by the names of their listeners.
  package var listeners: [(name: String, address: NetworkAddress)] { control.board.bound }

  /// Starts the threads.
  package func start() throws(SystemError) {
    let mailboxes = control.mailboxes
    let refresher = control.refresher
    let watch = control.watch
    threads.append(
      try WorkerThread(name: "resolver") {
        do {
          try refresher.run { name, resolution in
            for mailbox in mailboxes { mailbox.post(.resolved(name, resolution)) }
            watch.resolved(name, resolution)
          }
        } catch {
          Console.error("countersign: upstream names are not resolved anew any more: \(error)")
        }
      })
    threads.append(
      try WorkerThread(name: "health") {
        do {
          try watch.run(tell: { Console.error($0) })
        } catch {
          Console.error("countersign: upstreams are not probed any more: \(error)")
        }
      })
    for (index, worker) in workers.enumerated() {
      // The worker is handed over whole: this thread touches nothing of it but its mailbox from here on.
      nonisolated(unsafe) let worker = worker
      let ended = ended
      threads.append(
        try WorkerThread(name: "worker-\(index)") {
          unsafe worker.run()
          ended.post(index)
        })
    }
  }

  /// Stops accepting; workers end with their last connection. The files of Unix sockets go first: a successor
  /// finds either a socket that still listens or none.
  package func drain() {
    control.board.drain()
    for mailbox in control.mailboxes { mailbox.post(.drain) }
  }

  /// Ends the connections that are still there.
  package func endConnections() { for mailbox in control.mailboxes { mailbox.post(.endConnections) } }

  /// Waits for every thread; call after ``drain()``.
  package func join() {
    control.refresher.stop()
    control.watch.stop()
    for thread in threads { thread.join() }
    control.lookups.join()
  }
}
