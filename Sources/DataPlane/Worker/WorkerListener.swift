import AccessPolicy
import AuditLog
import EventLoop

/// A worker's own listening socket, and what it needs for whoever comes in there.
final class WorkerListener {
  let snapshot: ListenerSnapshot
  let address: NetworkAddress?
  let admission: Admission
  /// This worker's part of the listener's `max_handshakes`.
  let handshakeShare: Int
  var unauthenticated = UnauthenticatedQueue()
  private var socket: ListeningSocket?

  init(
    snapshot: ListenerSnapshot, socket: consuming ListeningSocket, address: NetworkAddress?,
    admission: Admission, handshakeShare: Int
  ) {
    self.snapshot = snapshot
    self.socket = consume socket
    self.address = address
    self.admission = admission
    self.handshakeShare = handshakeShare
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
  }

  func resume(_ poller: Poller, index: Int) throws(SystemError) {
    if let number { try poller.add(number, token: PollTag.listener(index).raw, mode: .level) }
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
