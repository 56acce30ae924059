package import AuditLog
package import DataPlane
package import EventLoop
import GatewayConfiguration

/// The running gateway: its workers with their sockets, and the thread that resolves names.
package final class Gateway {
  package struct BoundListener: Sendable {
    package let name: String
    package let address: NetworkAddress
  }

  /// A listener could not be opened.
  package struct ListenError: Error, Sendable, CustomStringConvertible {
    package let listener: String
    package let address: NetworkAddress
    package let error: SystemError

    package var description: String {
      "listener \(listener): cannot listen on \(address): \(error)"
        + (error.name == "EADDRINUSE"
          ? "; another process holds this address: stop it or choose another port"
          : error.name == "EACCES"
            ? "; ports below 1024 need CAP_NET_BIND_SERVICE"
            : error.name == "EADDRNOTAVAIL" ? "; no interface of this machine has this address" : "")
    }
  }

  package let listeners: [BoundListener]
  package let admission: Admission
  package let workerCount: Int
  /// Hears of every worker that has ended.
  package let ended: Mailbox<Int>
  private let workers: [Worker]
  private let mailboxes: [Mailbox<WorkerMessage>]
  private let refresher: NameRefresher
  private var threads: [WorkerThread] = []

  /// Opens all sockets; nobody is served before ``start()``.
  package init(
    snapshot: Snapshot, audit: any AuditSink, encoder: RecordEncoder, workerCount: Int, maxConnections: Int
  ) throws {
    let names = Set(snapshot.listeners.flatMap(\.upstream.resolvedNames))
    let refresher = try NameRefresher(names: names)
    let resolutions = NameRefresher.resolveAll(names)
    let admission = Admission(limit: maxConnections)
    let environment = WorkerEnvironment(
      audit: audit, encoder: encoder, admission: admission, workerCount: workerCount,
      resolveAgain: { refresher.resolveSoon($0) })
    let workers = try (0..<workerCount).map { _ in
      try Worker(snapshot: snapshot, environment: environment, resolutions: resolutions)
    }
    self.listeners = try snapshot.listeners.map { listener in
      let limit = Admission(limit: listener.limits.maxConnections ?? maxConnections)
      return try Self.open(listener, limit, workers)
    }
    self.ended = try Mailbox()
    self.refresher = refresher
    self.admission = admission
    self.workerCount = workerCount
    self.workers = workers
    self.mailboxes = workers.map { $0.mailbox }
  }

  /// Opens one listener at every worker.
  private static func open(
    _ listener: ListenerSnapshot, _ limit: Admission, _ workers: [Worker]
  ) throws(ListenError) -> BoundListener {
    var address = listener.address
    do {
      try ListeningSocket.checkUnused(address)
      for worker in workers {
        // With port 0 the first worker learns the port, and the others join it there.
        address = try worker.listen(listener, on: address, admission: limit) ?? address
      }
    } catch {
      throw ListenError(listener: listener.name, address: address, error: error)
    }
    return BoundListener(name: listener.name, address: address)
  }

  /// Starts the threads.
  package func start() throws(SystemError) {
    let mailboxes = mailboxes
    let refresher = refresher
    threads.append(
      try WorkerThread(name: "resolver") {
        do {
          try refresher.run { name, resolution in
            for mailbox in mailboxes { mailbox.post(.resolved(name, resolution)) }
          }
        } catch {
          Console.error("countersign: upstream names are not resolved anew any more: \(error)")
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

  /// Stops accepting; workers end with their last connection.
  package func drain() { for mailbox in mailboxes { mailbox.post(.drain) } }

  /// Ends the connections that are still there.
  package func endConnections() { for mailbox in mailboxes { mailbox.post(.endConnections) } }

  /// Waits for every thread; call after ``drain()``.
  package func join() {
    refresher.stop()
    for thread in threads { thread.join() }
  }
}
