import AccessPolicy
import EventLoop
import GatewayConfiguration
import TLSEngine

extension Connection {
  /// The first step of a connection that was admitted.
  func begin(_ worker: Worker) {
    if machine.state == .handshaking { startTLS(worker) }
  }

  /// Reads plaintext from before TLS, as far as it is there.
  func stepNegotiation(_ worker: Worker) {
    client.flush()
    while machine.state == .negotiating {
      switch negotiation.next() {
      case .waits: guard readNegotiation(worker) else { return }
      case .proxied(let claim): if let claim { believe(claim, worker) }
      case .answer(let bytes): _ = unsafe bytes.withUnsafeBytes { unsafe client.write($0, worker) }
      case .startTLS:
        unsafe negotiation.takeRest().withUnsafeBytes { unsafe client.putBackCiphertext($0) }
        handle(.negotiated, worker)
      case .cancel(let key):
        purpose = .cancel(key)
        handle(.cancelRequested, worker)
      case .refuse(let problem): refuse(problem, worker)
      }
    }
  }

  /// Whoever sends headers is not limited itself, but those it speaks for are.
  private func believe(_ claim: ProxyHeader.Claim, _ worker: Worker) {
    peer.believe(claim)
    exceeded = worker.exceededRate(of: claim.source.ip, listener)
    if exceeded != nil { handle(.overLimit, worker) }
  }

  /// - Returns: whether there are new bytes; if not, the event that follows from it was handled.
  private func readNegotiation(_ worker: Worker) -> Bool {
    guard client.socket.isReadable else { return false }
    let room = unsafe min(negotiation.room, worker.plaintext.count)
    guard room > 0 else {
      refuse(.init(kind: .negotiation, message: "too many bytes before TLS has begun", farewell: nil), worker)
      return false
    }
    switch unsafe client.socket.receive(
      into: UnsafeMutableRawBufferPointer(rebasing: worker.plaintext[..<room]))
    {
    case .bytes(let count):
      unsafe negotiation.append(UnsafeRawBufferPointer(rebasing: worker.plaintext[..<count]))
      return true
    case .wouldBlock: return false
    case .endOfStream:
      handle(.handshakeFailed(.clientClosed), worker)
      return false
    case .failed:
      handle(.clientLost, worker)
      return false
    }
  }

  private func refuse(_ problem: Negotiation.Problem, _ worker: Worker) {
    let reason: HandshakeReason =
      switch problem.kind {
      case .proxyHeader: .proxyHeader
      case .negotiation: .negotiation
      }
    failure = HandshakeFailure(reason: reason, code: nil, message: problem.message)
    farewell = problem.farewell
    handle(.handshakeFailed(reason), worker)
  }

  func startTLS(_ worker: Worker) {
    do throws(TLSError) {
      let session = try TLSSession(
        listener.snapshot.tls, buffers: worker.buffers, cache: worker.handshakes,
        requiredProtocol: negotiation.isDirect ? ListenerSnapshot.postgresProtocol : nil,
        recordSize: listener.snapshot.recordSize)
      self.session = session
      client.tls = .server(session)
    } catch {
      return abandon(error.message, worker)
    }
    stepHandshake(worker)
  }

  // MARK: The first message

  /// Reads the first message within TLS, as far as it is there.
  func stepIntroduction(_ worker: Worker) {
    while machine.state == .introducing {
      switch introduction.next() {
      case .complete(let purpose):
        self.purpose = purpose
        unsafe introduction.takeRest().withUnsafeBytes { unsafe client.putBack($0) }
        handle(.introduced, worker)
      case .refuse(let problem):
        failure = HandshakeFailure(reason: .negotiation, code: nil, message: problem)
        farewell = .protocolViolation
        handle(.handshakeFailed(.negotiation), worker)
      case .waits: guard readIntroduction(worker) else { return }
      }
    }
  }

  private func readIntroduction(_ worker: Worker) -> Bool {
    var filled = 0
    let source = client.read(worker, &filled)
    if filled > 0 {
      // Bounded: more is read only while the message is not whole, and its length is.
      unsafe introduction.append(UnsafeRawBufferPointer(rebasing: worker.plaintext[..<filled]))
      return true
    }
    switch source {
    case .more: worker.putOff(self)
    case .waits: break
    case .ended: handle(.handshakeFailed(.clientClosed), worker)
    case .broken: handle(.clientLost, worker)
    }
    return false
  }
}

extension ListenerSnapshot {
  /// The name of the Postgres protocol in ALPN (IANA's registry).
  package static let postgresProtocol = "postgresql"

  /// Bytes of data in a record towards clients; nil: as many as TLS has room for.
  ///
  /// libpq reads with at least 8 KiB of room (pqReadData) and then waits for the socket, although the rest of a
  /// larger record lies decrypted in OpenSSL: clients that wait by themselves (pg_receivewal, and all that
  /// use its asynchronous interface) hang. PostgreSQL's own server sends no larger ones.
  var recordSize: Int? { wireProtocol == .postgres ? 8192 : nil }
}
