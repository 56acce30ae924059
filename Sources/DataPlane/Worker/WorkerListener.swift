import AccessPolicy
import AuditLog
import EventLoop
import TLSEngine

/// A worker's listening socket, its own or its share of one, and what it needs for whoever comes in there.
final class WorkerListener {
  private(set) var snapshot: ListenerSnapshot
  /// Whose trust counts for those who came in here.
  private(set) var trust: ServerContext
  let address: NetworkAddress?
  let admission: Admission
  /// The addresses of its upstream, which it shares with all workers.
  let pool: UpstreamPool
  /// This worker's part of the listener's `max_handshakes`.
  private(set) var handshakeShare: Int
  let unauthenticated: UnauthenticatedQueue
  /// The snapshot that held when it ended; nil as long as it has not. Nobody comes in here any more then, and those who
  /// did are to go.
  private(set) var retired: Snapshot?
  var isRetired: Bool { retired != nil }
  private(set) var isPaused = true
  private var socket: ListeningSocket?
  private let mode: PollMode

  init(
    snapshot: ListenerSnapshot, socket: consuming ListeningSocket, mode: PollMode, address: NetworkAddress?,
    admission: Admission, pool: UpstreamPool, handshakeShare: Int, unauthenticated: UnauthenticatedQueue
  ) {
    self.snapshot = snapshot
    self.trust = snapshot.tls
    self.socket = consume socket
    self.mode = mode
    self.address = address
    self.admission = admission
    self.pool = pool
    self.handshakeShare = handshakeShare
    self.unauthenticated = unauthenticated
  }

  /// Connections taken in one turn, so that a burst of new clients does not starve the others; of a shared
  /// socket one, so that the other workers get theirs.
  var acceptBatch: Int {
    switch mode {
    case .shared: 1
    case .level, .edge: 64
    }
  }

  /// What the records of a connection to this listener have in common.
  func context(of facts: Facts, id: String, start: Timestamp) -> ConnectionContext {
    ConnectionContext(
      id: id, start: start, listener: snapshot.name, upstream: snapshot.upstream.name, facts: facts,
      serverIP: address?.ip, serverPort: address?.port.map(Int.init))
  }

  /// - Returns: nil once the listener is closed.
  func accept() -> AcceptStep? {
    switch socket {
    case .some(let socket): socket.accept()
    case .none: nil
    }
  }

  /// Stops or resumes hearing of new clients.
  func pause(_ poller: Poller) {
    if let number { poller.remove(number) }
    isPaused = true
  }

  func resume(_ poller: Poller, index: Int) throws(SystemError) {
    guard isPaused, let number else { return }
    try poller.add(number, token: PollTag.listener(index).raw, mode: mode)
    isPaused = false
  }

  /// Lets the other workers of a shared socket go first. The kernel wakes the first idle one in the order in
  /// which they began to wait (add_wait_queue_exclusive), always: without a step back, one worker would hold
  /// nearly all connections of a quiet gateway, and be alone with them when it gets busy.
  func stepBack(_ poller: Poller, index: Int) throws(SystemError) {
    guard case .shared = mode else { return }
    pause(poller)
    try resume(poller, index: index)
  }

  /// Whether it has a socket.
  var isOpen: Bool { number != nil }

  /// Takes the same listener as a new configuration has it.
  func adopt(_ snapshot: ListenerSnapshot, handshakeShare: Int) {
    self.snapshot = snapshot
    trust = snapshot.tls
    self.handshakeShare = handshakeShare
  }

  /// Ends it; those who came in here go on for a while.
  /// - Parameter last: the snapshot that it was of.
  func retire(under last: Snapshot, _ poller: Poller) {
    close(poller)
    retired = last
  }

  /// Who came in before it ended is trusted by what bears its name now, as often as that changes; where nothing does, by
  /// what did last.
  func adoptTrust(of namesake: ListenerSnapshot?) {
    if let namesake { trust = namesake.tls }
  }

  /// Gives its socket to another listener, to which those who came in here do not belong.
  /// - Parameter last: the snapshot that it was of.
  func succeeded(
    by snapshot: ListenerSnapshot, under last: Snapshot, pool: UpstreamPool, handshakeShare: Int
  ) -> WorkerListener? {
    guard let socket = socket.take() else { return nil }
    let successor = WorkerListener(
      snapshot: snapshot, socket: socket, mode: mode, address: address, admission: admission, pool: pool,
      handshakeShare: handshakeShare, unauthenticated: unauthenticated)
    // The poller knows the socket by its place, which the successor takes.
    successor.isPaused = isPaused
    retired = last
    return successor
  }

  func close(_ poller: Poller) {
    if let number { poller.remove(number) }
    if let socket = socket.take() { socket.close() }
  }

  private var number: Int32? {
    switch socket {
    case .some(let socket): socket.number
    case .none: nil
    }
  }
}
