import AccessPolicy
import AuditLog
import EventLoop
import GatewayConfiguration
import TLSEngine

/// A new snapshot takes the place of the old one: at once for whoever comes, in slices for whoever is there.
extension Worker {
  func adopt(_ change: SnapshotChange) {
    let last = snapshot
    snapshot = change.snapshot
    // What was verified and kept under the old one means nothing under this one.
    handshakes.forget()
    addresses.keep(change.snapshot.resolvedNames)
    for (name, resolution) in change.resolutions { addresses.update(name, to: resolution) }
    follow(change, after: last)
    reviewAll()
    change.adopted()
  }

  private func follow(_ change: SnapshotChange, after last: Snapshot) {
    let present = Dictionary(uniqueKeysWithValues: change.snapshot.listeners.map { ($0.name, $0) })
    for (index, listener) in listeners.enumerated() where !listener.isRetired {
      let name = listener.snapshot.name
      // One that is closed drains with the worker, and has nothing to keep.
      guard change.kept.contains(name) || !listener.isOpen, let new = present[name] else {
        listener.retire(under: last, poller)
        end(listener)
        continue
      }
      let share = environment.share(of: new.limits.maxHandshakes)
      if listener.snapshot.isLike(new) {
        listener.adopt(new, handshakeShare: share)
      } else {
        let pool = environment.upstreams.pool(of: new.upstream.name)
        let successor = listener.succeeded(by: new, under: last, pool: pool, handshakeShare: share)
        if let successor { listeners[index] = successor } else { listener.retire(under: last, poller) }
        end(listener)
      }
    }
    for (_, listener) in retired { listener.adoptTrust(of: present[listener.snapshot.name]) }
    for opened in change.opened {
      guard let listener = present[opened.listener] else { continue }
      open(opened, listener)
    }
  }

  private func open(_ opened: SnapshotChange.Opened, _ listener: ListenerSnapshot) {
    guard let socket = opened.socket.take() else { return }
    // Whoever drains takes nobody in any more, whatever the configuration says now.
    guard !isDraining else { return socket.close() }
    do {
      try listen(listener, on: socket, mode: opened.mode, admission: opened.admission)
    } catch {
      // ENOMEM and the limit of watches: the other workers serve it.
      record(
        .limitReached(
          .init(
            limit: error.name, value: listeners.count, scope: .listener,
            context: ConnectionContext(
              id: RandomID.next(), start: wallClock, listener: listener.name,
              upstream: listener.upstream.name, facts: Facts()))))
    }
  }

  // MARK: Those whose listener is gone

  private func end(_ listener: WorkerListener) {
    let end = now + snapshot.drainTimeout
    retired.append((end, listener))
    timers.push(end, Token(raw: PollTag.retirement.raw))
  }

  /// Their time is over.
  func endRetired() {
    let due = retired.filter { $0.end <= now }.map(\.listener)
    retired.removeAll { $0.end <= now }
    var ending: [Connection] = []
    connections.forEach { _, connection in
      if due.contains(where: { $0 === connection.listener }) { ending.append(connection) }
    }
    for connection in ending { connection.drain(self) }
  }
}

extension ListenerSnapshot {
  /// Whether connections that came by this one belong to the other too: what they speak and where they lead is what
  /// they were let in for.
  fileprivate func isLike(_ other: ListenerSnapshot) -> Bool {
    wireProtocol == other.wireProtocol && upstream.name == other.upstream.name
  }
}
