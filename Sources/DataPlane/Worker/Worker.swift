import AccessPolicy
package import EventLoop
import GatewayConfiguration
import TLSEngine

/// One thread of the data plane: its listening sockets, connections, timers and buffers.
///
/// Confined to its thread from ``run()`` on; everything that other threads have to say comes by ``mailbox``.
/// `@safe`: its buffer is allocated with the worker, never resized, and freed with it.
@safe
package final class Worker {
  /// Bytes of plaintext moved in one step; a multiple of the largest TLS record (RFC 8446 §5.1).
  static let plaintextCapacity = 64 * 1024
  /// Room for that plaintext with the overhead of its records, and for a handshake flight behind it.
  static let ciphertextCapacity = 128 * 1024

  /// With fewer timers than that, nobody looks for those of connections that are gone: 64 KiB.
  static let leastTimersBound = 4096

  package let mailbox: Mailbox<WorkerMessage>
  let environment: WorkerEnvironment
  var snapshot: Snapshot
  let poller: Poller
  let buffers: RecordBuffers
  /// Of the present snapshot: another one begins with an empty cache.
  let handshakes = HandshakeCache()
  /// Where plaintext stands between one socket and the other; lent to one connection at a time.
  let plaintext: UnsafeMutableRawBufferPointer
  var listeners: [WorkerListener] = []
  var connections = SlotTable<Connection>()
  var timers = TimerQueue()
  /// With so many, those of connections that are gone are looked for.
  private var timersBound = Worker.leastTimersBound
  var addresses = UpstreamAddresses()
  var summaries = LimitSummaries<LimitedClient>()
  /// Connections that stopped to let others move bytes, and have more to move.
  var deferred: [Token] = []
  /// Connections that have to be looked at again, while there are any.
  var reviewing: Reviewing?
  /// What the present policy said of whoever came.
  var decisions: DecisionMemo
  /// Listeners that are no more, with the moments at which their connections end.
  var retired: [(end: MonotonicTime, listener: WorkerListener)] = []
  /// The time of the present turn of the loop.
  var now: MonotonicTime
  private(set) var isDraining = false
  private var messages: [WorkerMessage] = []

  /// - Throws: a ``SystemError`` where the kernel refuses an epoll instance, an eventfd or a socket.
  package init(
    snapshot: Snapshot, environment: WorkerEnvironment, resolutions: [UpstreamAddresses.Name: Resolution]
  ) throws(SystemError) {
    self.snapshot = snapshot
    self.environment = environment
    decisions = DecisionMemo(snapshot.policy)
    now = environment.clock.monotonic()
    mailbox = try Mailbox()
    poller = try Poller()
    buffers = RecordBuffers(
      inboundCapacity: Self.ciphertextCapacity, outboundCapacity: Self.ciphertextCapacity)
    unsafe plaintext = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Self.plaintextCapacity, alignment: 64)
    for (name, resolution) in resolutions { addresses.update(name, to: resolution) }
    try poller.add(mailbox.descriptor, token: PollTag.mailbox.raw, mode: .level)
  }

  deinit {
    // Only a worker that was never drained has anything left to close.
    for listener in listeners { listener.close(poller) }
    connections.forEach { $1.hangUp(poller) }
    unsafe plaintext.deallocate()
  }

  /// Takes a socket of a listener, which may have several.
  /// - Parameter mode: ``PollMode/level``, or ``PollMode/shared`` where other workers have the same socket.
  package func listen(
    _ listener: ListenerSnapshot, on socket: consuming ListeningSocket, mode: PollMode, admission: Admission
  ) throws(SystemError) {
    // Places of closed listeners are given anew, so that they do not grow in number for ever.
    let place = listeners.firstIndex { !$0.isOpen } ?? listeners.count
    let address = socket.localAddress()
    let added = WorkerListener(
      snapshot: listener, socket: socket, mode: mode, address: address, admission: admission,
      pool: environment.upstreams.pool(of: listener.upstream.name),
      handshakeShare: environment.share(of: listener.limits.maxHandshakes),
      unauthenticated: listeners.first { $0.snapshot.name == listener.name }?.unauthenticated
        ?? UnauthenticatedQueue())
    do {
      try added.resume(poller, index: place)
    } catch {
      added.close(poller)
      throw error
    }
    if place < listeners.count { listeners[place] = added } else { listeners.append(added) }
  }

  /// Runs the loop until the worker is drained.
  package func run() {
    while !(isDraining && connections.count == 0) { turn(waitLimit: waitLimit()) }
    closeListeners()
    tellSummaries(isLast: true)
  }

  /// One turn of the loop: events, then timers, then what was put off.
  /// - Parameter waitLimit: milliseconds to wait for the first event; -1 for no limit.
  package func turn(waitLimit: Int32) {
    do {
      try poller.wait(timeoutMilliseconds: waitLimit) { tag, readiness in
        now = environment.clock.monotonic()
        dispatch(PollTag(raw: tag), readiness)
      }
    } catch {
      // EBADF, EINVAL and EFAULT alone are left of epoll_wait(2)'s errors: a bug, not a condition.
      fatalError("\(error)")
    }
    now = environment.clock.monotonic()
    fireTimers()
    runDeferred()
    reviewSome()
  }

  private func dispatch(_ tag: PollTag, _ readiness: Readiness) {
    switch tag {
    case .client(let token): connections[token]?.clientEvent(readiness, self)
    case .upstream(let token): connections[token]?.upstreamEvent(readiness, self)
    case .attempt(let token): connections[token]?.attemptEvent(self)
    case .listener(let index): acceptClients(of: index)
    case .retirement: break
    case .mailbox:
      mailbox.drain(into: &messages)
      for message in messages { receive(message) }
      // What they hold (sockets, descriptors to answer by) is given back now, not with the next ones.
      messages.removeAll(keepingCapacity: true)
    case .limitSummaries: break
    }
  }

  private func receive(_ message: WorkerMessage) {
    switch message {
    case .recordAnswered(let token, let answer): connections[token]?.recordAnswered(answer, self)
    case .resolved(let name, let resolution): addresses.update(name, to: resolution)
    case .ping(let answer): answer()
    case .adopt(let change): adopt(change)
    case .clockWasSet: reviewAll()
    case .drain:
      isDraining = true
      closeListeners()
    case .endConnections:
      var live: [Connection] = []
      connections.forEach { live.append($1) }
      for connection in live { connection.drain(self) }
    }
  }

  private func closeListeners() {
    for listener in listeners { listener.close(poller) }
  }

  // MARK: Timers and turns

  /// Milliseconds until the next timer; -1 without one.
  private func waitLimit() -> Int32 {
    if !deferred.isEmpty || reviewing != nil { return 0 }
    return timers.earliest?.timeoutMilliseconds(from: environment.clock.monotonic()) ?? -1
  }

  private func fireTimers() {
    while let token = timers.popDue(now) {
      switch PollTag(raw: token.raw) {
      case .listener(let index): resumeAccepting(index)
      case .retirement: endRetired()
      case .limitSummaries: tellSummaries()
      case .client, .upstream, .attempt, .mailbox: connections[token]?.timerFired(self)
      }
    }
  }

  private func runDeferred() {
    guard !deferred.isEmpty else { return }
    let tokens = deferred
    deferred.removeAll(keepingCapacity: true)
    for token in tokens {
      guard let connection = connections[token] else { continue }
      connection.isPutOff = false
      connection.advance(self)
    }
  }

  /// Lets the others have their turn first. Once, however often it is asked for in one turn: each entry would put
  /// itself off again.
  func putOff(_ connection: Connection) {
    guard !connection.isPutOff else { return }
    connection.isPutOff = true
    deferred.append(connection.token)
  }

  /// Sees to it that `connection` hears of its deadline. A timer that is already set for an earlier moment
  /// serves: it finds nothing due and sets the next one, so that moving bytes touches no timer.
  func arm(_ connection: Connection) {
    guard let deadline = connection.machine.deadline, deadline < connection.armedUntil else { return }
    connection.armedUntil = deadline
    timers.push(deadline, connection.token)
    if timers.count > timersBound { dropStaleTimers() }
  }

  /// Timers are not cancelled: one of a connection that is gone would stand there until it is due, for `idle_timeout`,
  /// and clients come and go quicker than that.
  private func dropStaleTimers() {
    timers.keep { token in
      switch PollTag(raw: token.raw) {
      case .client, .upstream, .attempt: connections[token] != nil
      case .listener, .mailbox, .retirement, .limitSummaries: true
      }
    }
    timersBound = max(Self.leastTimersBound, 2 * timers.count)
  }
}
