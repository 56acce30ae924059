package import AuditLog
package import DataPlane
package import EventLoop
import GatewayConfiguration

/// The running gateway: its workers with their sockets, and the threads that resolve names and watch upstreams.
package final class Gateway {
  package struct BoundListener: Sendable {
    package let name: String
    package let address: NetworkAddress
  }

  package let listeners: [BoundListener]
  package let admission: Admission
  package let workerCount: Int
  /// Hears of every worker that has ended.
  package let ended: Mailbox<Int>
  private let workers: [Worker]
  let mailboxes: [Mailbox<WorkerMessage>]
  /// The files of Unix listeners.
  private let files: [UnixSocketFile]
  private let refresher: NameRefresher
  private let watch: HealthWatch
  private var threads: [WorkerThread] = []

  /// Opens all sockets; nobody is served before ``start()``.
  /// - Throws: ``ListenError``, or a ``SystemError`` where the kernel refuses something else.
  package init(
    snapshot: Snapshot, audit: any AuditSink, encoder: RecordEncoder, workerCount: Int, maxConnections: Int,
    handedOver: HandedOverSockets
  ) throws {
    let names = Set(snapshot.listeners.flatMap(\.upstream.resolvedNames))
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
    var opening = ListenerOpening(workers: workers, handedOver: handedOver)
    self.listeners = try Self.open(snapshot.listeners, &opening, maxConnections)
    self.files = opening.files
    self.refresher = refresher
    self.watch = watch
    self.admission = admission
    self.workerCount = workerCount
    self.workers = workers
    self.mailboxes = workers.map { $0.mailbox }
  }

  private static func open(
    _ listeners: [ListenerSnapshot], _ opening: inout ListenerOpening, _ maxConnections: Int
  ) throws(ListenError) -> [BoundListener] {
    for listener in listeners {
      do throws(SystemError) {
        try opening.check(listener)
      } catch {
        throw ListenError(listener: listener.name, address: listener.address, error: error)
      }
    }
    var bound: [BoundListener] = []
    for listener in listeners {
      let limit = Admission(limit: listener.limits.maxConnections ?? maxConnections)
      do {
        bound += try opening.open(listener, limit: limit).map {
          BoundListener(name: listener.name, address: $0)
        }
      } catch {
        for file in opening.files { file.remove() }
        throw ListenError(listener: listener.name, address: listener.address, error: error)
      }
    }
    return bound
  }

  /// Starts the threads.
  package func start() throws(SystemError) {
    let mailboxes = mailboxes
    let refresher = refresher
    let watch = watch
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
    for file in files { file.remove() }
    for mailbox in mailboxes { mailbox.post(.drain) }
  }

  /// Ends the connections that are still there.
  package func endConnections() { for mailbox in mailboxes { mailbox.post(.endConnections) } }

  /// Waits for every thread; call after ``drain()``.
  package func join() {
    refresher.stop()
    watch.stop()
    for thread in threads { thread.join() }
  }
}
