import AccessPolicy
import EventLoop
import GatewayConfiguration
import TLSEngine

extension Connection {
  /// Whether words of the gateway's own would stand between two messages of the server, where the client takes one.
  var isBetweenMessages: Bool {
    switch terms.wireProtocol {
    case .tcp: false
    case .postgres: isPostgresBetweenMessages
    case .mysql: isMySQLBetweenMessages
    }
  }

  /// Sends the client away in its protocol, where that has words.
  func sayFarewell(_ worker: Worker) {
    // A cancel gets no answer (PostgreSQL documentation, "Canceling Requests in Progress").
    if case .cancel? = purpose {
    } else if let message = farewell?.message(
      terms.wireProtocol, sequence: mysqlSequence),
      client.tls == nil || session?.isEstablished == true
    {
      _ = unsafe message.withUnsafeBytes { unsafe client.write($0, worker) }
    }
    tellClientTheEnd(worker)
  }

  /// The client hears `close_notify` and the end of the stream; the upstream is hung up on at once.
  func tellClientTheEnd(_ worker: Worker) {
    client.end(worker)
    beginLingering(worker)
  }

  /// Lets the last word reach the client before its socket is closed: close(2) with unread bytes in the
  /// receive queue sends a reset (RFC 2525 §2.17), which would overtake an alert.
  func beginLingering(_ worker: Worker) {
    closeUpstream(reset: false, worker.poller)
    client.endAfterFlush()
    linger(worker)
  }

  /// Sends what is left to send, and reads away what the client still says, until it hangs up.
  func linger(_ worker: Worker) {
    client.flush()
    guard client.socket.isReadable else { return }
    var budget = 4
    while budget > 0 {
      switch unsafe client.socket.receive(into: worker.plaintext) {
      case .bytes: budget -= 1
      case .wouldBlock: return
      case .endOfStream:
        // A client that is gone (EPOLLHUP or EPOLLERR) will never take what still waits for it.
        if client.unsent.isEmpty || client.socket.isBroken { handle(.lingered, worker) }
        return
      case .failed: return handle(.lingered, worker)
      }
    }
    worker.putOff(self)
  }

  /// Passes a reset on to whoever is still there.
  func closeWithReset(_ worker: Worker) {
    closeUpstream(reset: true, worker.poller)
    client.close(reset: true, worker.poller)
    close(worker)
  }

  /// Gives everything back. Nothing can reach this connection any more.
  func close(_ worker: Worker) {
    hangUp(worker.poller)
    client.tls = nil
    session = nil
    upstream = nil
    relay = nil
    forgetCancelKey(worker)
    guard worker.connections.remove(token) != nil else { return }
    leaveCallers(worker)
    listener.admission.leave()
    worker.environment.admission.leave()
  }

  /// Closes both sockets, and tells nobody.
  func hangUp(_ poller: Poller) {
    closeUpstream(reset: false, poller)
    client.close(reset: false, poller)
  }
}
