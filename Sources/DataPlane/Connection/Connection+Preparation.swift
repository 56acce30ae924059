import AccessPolicy
import EventLoop
import GatewayConfiguration
import TLSEngine

/// What has to be done with an upstream that has answered, before the relay: its TLS.
enum Preparation {
  /// MySQL: the upstream's greeting is awaited.
  case greeting
  /// SSLRequest is sent; one byte is awaited.
  case asking
  case handshaking(TLSClientSession)
  /// MySQL: the client proves itself.
  case authenticating
}

extension Connection {
  func prepareUpstream(_ worker: Worker) {
    guard writeProxyHeader(worker) else { return }
    switch terms.wireProtocol {
    case .tcp: startUpstreamTLS(worker)
    case .mysql:
      preparation = .greeting
      stepPreparation(worker)
    case .postgres:
      preparation = .asking
      writeToUpstream(PostgresUpstreamTLS.request, worker)
      stepPreparation(worker)
    }
  }

  func stepPreparation(_ worker: Worker) {
    if client.socket.isBroken { return handle(.clientLost, worker) }
    upstream?.flush()
    switch preparation {
    case .greeting: readGreeting(worker)
    case .authenticating: stepAuthentication(worker)
    case .asking: readAnswer(worker)
    case .handshaking(let session): stepUpstreamHandshake(session, worker)
    case nil: handle(.upstreamFailed(.internal), worker)
    }
  }

  /// The upstream's answer to SSLRequest: one byte, and nothing behind it.
  private func readAnswer(_ worker: Worker) {
    guard let upstream, upstream.socket.isReadable else { return }
    switch unsafe upstream.socket.receive(into: worker.plaintext) {
    case .wouldBlock: return
    case .endOfStream: lose("the upstream closed the connection instead of answering SSLRequest", worker)
    case .failed(let error): lose("\(error)", worker)
    case .bytes(let count):
      let bytes = unsafe Span<UInt8>(
        _unsafeBytes: UnsafeRawBufferPointer(rebasing: worker.plaintext[..<count]))
      switch PostgresUpstreamTLS.answer(bytes) {
      case .incomplete: return
      case .invalid(let problem): lose(problem, worker)
      case .complete(.refused, _):
        lose("the upstream does not speak TLS (it answered SSLRequest with N); see ssl = on there", worker)
      case .complete(.accepted, _): startUpstreamTLS(worker)
      }
    }
  }

  func startUpstreamTLS(_ worker: Worker) {
    guard let upstream, let context = terms.upstream.tls else {
      return handle(.upstreamFailed(.internal), worker)
    }
    do throws(TLSError) {
      let session = try TLSClientSession(context, serverName: dial?.serverName, buffers: worker.buffers)
      upstream.tls = .client(session)
      preparation = .handshaking(session)
    } catch {
      return lose(error.message, worker)
    }
    stepPreparation(worker)
  }

  private func stepUpstreamHandshake(_ session: TLSClientSession, _ worker: Worker) {
    guard let upstream else { return handle(.upstreamFailed(.internal), worker) }
    upstream.loadCiphertext(worker)
    var rounds = 0
    while machine.state == .preparing {
      let step = session.handshake(now: worker.wallClock)
      upstream.flushRecords(worker)
      switch step {
      case .complete:
        upstream.saveCiphertext(worker)
        if case .mysql? = purpose { return beginAuthentication(worker) }
        preparation = nil
        return handle(.upstreamPrepared, worker)
      case .failed(let failure):
        worker.buffers.clearInbound()
        return lose(failure.message, code: failure.code, worker)
      case .incomplete:
        rounds += 1
        guard rounds < Self.roundsPerTurn else {
          upstream.saveCiphertext(worker)
          return worker.putOff(self)
        }
        guard upstream.socket.isReadable else { return worker.buffers.clearInbound() }
        switch upstream.receiveCiphertext(worker) {
        case .bytes?: break
        case .wouldBlock?: return worker.buffers.clearInbound()
        case .endOfStream?: return lose("the upstream closed the connection in the TLS handshake", worker)
        case .failed(let error)?: return lose("\(error)", code: error.name, worker)
        case nil: return lose("the upstream's handshake is too long", worker)
        }
      }
    }
  }

  /// This address does not do. Nothing of the client has gone there, so another one may be tried.
  func lose(
    _ message: String, code: String? = nil, reason: FailureReason = .upstreamTLS, _ worker: Worker
  ) {
    worker.buffers.clearInbound()
    preparation = nil
    upstreamBytes = []
    mysql = nil
    hangUpUpstream(worker)
    dial?.failed(message: message, code: code, reason: reason)
    if let endpoint = dial?.endpoint { listener.pool.failed(endpoint, .preparation, message, at: worker.now) }
    if dial?.hasNext == true {
      handle(.upstreamLost, worker)
    } else {
      handle(.upstreamFailed(reason), worker)
    }
  }

  /// The upstream's TLS ended with an error before the upstream said anything: it has judged our certificate, which in
  /// TLS 1.3 it does after our side of the handshake is complete, and its alert is all that there is to tell.
  /// - Returns: whether that is what happened.
  func upstreamHasRefused(_ worker: Worker) -> Bool {
    guard relay?.bytesFromUpstream == 0, case .client(let session)? = upstream?.tls,
      let refusal = session.refusal
    else { return false }
    dial?.failed(
      message: "the upstream refused TLS: \(refusal.message)", code: refusal.code, reason: .upstreamTLS)
    handle(.upstreamFailed(.upstreamTLS), worker)
    return true
  }

  // MARK: What the upstream gets first

  /// Says what has to be said before the client's bytes.
  /// - Returns: whether the connection goes on.
  func openUpstream(_ worker: Worker) -> Bool {
    if !machine.course.prepares, !writeProxyHeader(worker) { return false }
    switch purpose {
    case .postgres(let startup)?:
      watch = PostgresBackendScan()
      serverTail = PostgresServerTail()
      writeToUpstream(startup.message, worker)
    case .cancel(let key)?: writeToUpstream(key.request, worker)
    // What there was to say has been said while the client authenticated.
    case .mysql?, nil: break
    }
    return true
  }

  /// Plaintext of an upstream from before its TLS, into ``upstreamBytes``.
  /// - Returns: whether there are new bytes; if not, the event that follows from it was handled.
  func readFromUpstream(_ worker: Worker) -> Bool {
    guard let upstream, upstream.socket.isReadable else { return false }
    let isFirst = upstreamBytes.isEmpty
    switch unsafe upstream.socket.receive(into: worker.plaintext) {
    case .wouldBlock: break
    case .bytes(let count):
      unsafe upstreamBytes.append(
        contentsOf: UnsafeRawBufferPointer(rebasing: worker.plaintext[..<count]))
      return true
    case .endOfStream:
      let when = isFirst ? "without a word" : "in the middle of its first message"
      lose("the upstream closed the connection \(when)", reason: .upstreamUnreachable, worker)
    case .failed(let error): lose("\(error)", code: error.name, reason: .upstreamUnreachable, worker)
    }
    return false
  }

  func writeToUpstream(_ bytes: [UInt8], _ worker: Worker) {
    // A failure shows itself at the next read.
    _ = unsafe bytes.withUnsafeBytes { unsafe upstream?.write($0, worker) }
  }

  private func writeProxyHeader(_ worker: Worker) -> Bool {
    let source = peer.clientAddress
    let destination = peer.claimedDestination ?? client.socket.localAddress() ?? .unix("")
    let header: [UInt8]?
    switch terms.upstream.proxyHeader {
    case .none: return true
    case .v1: header = ProxyHeader.v1(source: source, destination: destination)
    case .v2: header = ProxyHeader.v2(source: source, destination: destination)
    case .v2TLS:
      header = ProxyHeader.v2(
        source: source, destination: destination, tls: session.flatMap(ProxyTLSDescription.init),
        caller: decision?.caller?.name)
    }
    guard let header else {
      dial?.failed(
        message: "the PROXY header for the upstream would be longer than \(ProxyHeader.maxLength) bytes",
        code: nil)
      handle(.upstreamFailed(.internal), worker)
      return false
    }
    writeToUpstream(header, worker)
    return true
  }
}

extension ProxyTLSDescription {
  /// - Returns: nil where the session is not established.
  init?(_ session: TLSSession) {
    let facts = session.facts
    guard let certificate = session.peerCertificate, case .text(let version)? = facts[.tlsVersion],
      let cipher = session.cipherName
    else { return nil }
    var name: String?
    if case .texts(let names)? = facts[.subjectCN], names.count == 1 { name = names[0] }
    self.init(version: "TLSv\(version)", cipher: cipher, commonName: name, certificate: certificate)
  }
}
