import AccessPolicy
import AuditLog
import EventLoop
import GatewayConfiguration
import TLSEngine

extension Connection {
  /// Receives of one handshake before other connections get their turn.
  static let roundsPerTurn = 64

  /// Takes the handshake as far as the bytes at hand allow.
  func stepHandshake(_ worker: Worker) {
    guard let session else { return }
    client.loadCiphertext(worker)
    var rounds = 0
    while machine.state == .handshaking {
      unsafe opening.note(worker.buffers.inboundUnread)
      let step = session.handshake(now: worker.wallClock)
      client.flushRecords(worker)
      switch step {
      case .complete:
        client.saveCiphertext(worker)
        // We have nothing to send behind the client's Finished (a ticket goes with the first data), so the
        // kernel would delay its acknowledgement, and a client without TCP_NODELAY would wait 40 ms for it
        // before its first request.
        client.socket.acknowledgeNow()
        return handle(.handshakeCompleted, worker)
      case .failed(let failure):
        worker.buffers.clearInbound()
        return fail(failure, worker)
      case .incomplete:
        rounds += 1
        guard rounds < Self.roundsPerTurn else {
          client.saveCiphertext(worker)
          return worker.putOff(self)
        }
        guard client.socket.isReadable, readHandshakeBytes(worker) else {
          return worker.buffers.clearInbound()
        }
      }
    }
  }

  private func fail(_ failure: HandshakeFailure, _ worker: Worker) {
    var failure = failure
    if failure.reason == .tlsProtocol, opening.isProxyHeader {
      let isSecond = terms.expectsProxyHeader(from: peer.address)
      failure = HandshakeFailure(
        reason: .proxyHeader, code: nil, message: ProxyHeader.unexpected(isSecond: isSecond))
    }
    self.failure = failure
    handle(.handshakeFailed(failure.reason), worker)
  }

  /// - Returns: whether there are new bytes; if not, the event that follows from it was handled.
  private func readHandshakeBytes(_ worker: Worker) -> Bool {
    switch client.receiveCiphertext(worker) {
    case nil:
      handle(.handshakeFailed(.tlsProtocol), worker)
      return false
    case .bytes: return true
    case .wouldBlock: return false
    case .endOfStream:
      handle(.handshakeFailed(.clientClosed), worker)
      return false
    case .failed:
      handle(.clientLost, worker)
      return false
    }
  }

  // MARK: Failures before the verdict

  func recordHandshakeFailure(_ reason: HandshakeReason, _ worker: Worker) {
    let context = context(session?.facts)
    worker.record(
      .handshakeFailed(
        .init(
          context: context, reason: reason, code: failure?.code,
          message: failure?.message ?? Self.message(of: reason), depth: failure?.depth,
          subject: failure?.subject)))
    // OpenSSL has put its alert into the outbound buffer where the protocol has one for this.
    if machine.state == .closed { close(worker) } else { sayFarewell(worker) }
  }

  func recordEviction(_ worker: Worker) {
    if let exceeded { recordLimit(exceeded, caller: nil, context(session?.facts), worker) }
    close(worker)
  }

  /// Gives up on a connection that could not even be set up.
  func abandon(_ message: String, _ worker: Worker) {
    failure = HandshakeFailure(reason: .tlsProtocol, code: nil, message: message)
    handle(.handshakeFailed(.tlsProtocol), worker)
  }

  private static func message(of reason: HandshakeReason) -> String {
    switch reason {
    case .timeout: "the handshake did not complete within handshake_timeout"
    case .clientClosed: "the client closed the connection before the handshake was complete"
    default: "the handshake failed"
    }
  }
}
