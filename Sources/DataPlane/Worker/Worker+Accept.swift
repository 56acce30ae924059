import AccessPolicy
import AuditLog
import EventLoop
import GatewayConfiguration
import TLSEngine

extension Worker {
  /// How long nobody is accepted after the process ran out of descriptors or memory.
  private static let acceptPause = Duration.milliseconds(100)

  func acceptClients(of index: Int) {
    let listener = listeners[index]
    var hasAccepted = false
    var hasMadeRoom = false
    for _ in 0..<listener.acceptBatch {
      switch listener.accept() {
      case nil: return
      case .wouldBlock?: return
      case .retry?: continue
      case .accepted(let socket, let address)?:
        hasAccepted = true
        admit(socket, from: address, listener)
      case .exhausted(let error)?:
        // accept(2) takes a descriptor before it looks who waits, so perhaps nobody does: the poller knows.
        guard !hasAccepted else { return }
        // Once a turn: what is missing may be something that no connection of ours gives back.
        guard !hasMadeRoom, evictOldest(of: nil, for: exhaustion(error)) else {
          return pauseAccepting(index, error)
        }
        hasMadeRoom = true
      case .failed(let error)?: return pauseAccepting(index, error)
      }
    }
    do {
      try listener.stepBack(poller, index: index)
    } catch {
      pauseAccepting(index, error)
    }
  }

  func admit(_ socket: consuming StreamSocket, from address: NetworkAddress, _ listener: WorkerListener) {
    if let exceeded = exceeded(by: address, listener) {
      return turnAway(socket, address, listener, exceeded)
    }
    makeRoom(listener)
    let number = socket.number
    let connection = Connection(
      socket: socket, peer: UnverifiedPeer(address: address, listener: listener.snapshot),
      listener: listener, now: now, wallClock: wallClock)
    connection.token = connections.insert(connection)
    listener.unauthenticated.enter(connection.token)
    do {
      try poller.add(number, token: PollTag.client(connection.token).raw, mode: .edge)
    } catch {
      return connection.abandon("\(error)", self)
    }
    connection.begin(self)
    arm(connection)
  }

  /// At `max_handshakes` the oldest unauthenticated connection goes.
  private func makeRoom(_ listener: WorkerListener) {
    let isWaiting = isWaiting
    listener.unauthenticated.trim(where: isWaiting)
    guard listener.unauthenticated.count >= listener.handshakeShare else { return }
    let exceeded = ExceededLimit(
      name: "max_handshakes", value: listener.snapshot.limits.maxHandshakes, scope: .listener)
    _ = evictOldest(of: listener, for: exceeded)
  }

  /// - Returns: the limit that keeps a new connection out; nil: it is counted.
  private func exceeded(by address: NetworkAddress, _ listener: WorkerListener) -> ExceededLimit? {
    // The source of such a connection stands in its header.
    if !listener.snapshot.expectsProxyHeader(from: address),
      let exceeded = exceededRate(of: address.ip, listener)
    {
      return exceeded
    }
    guard let exceeded = exceededCount(listener) else { return nil }
    let crowded = exceeded.scope == .listener ? listener : nil
    guard evictOldest(of: crowded, for: exceeded) else { return exceeded }
    // Another worker may have been quicker.
    return exceededCount(listener)
  }

  private func turnAway(
    _ socket: consuming StreamSocket, _ address: NetworkAddress, _ listener: WorkerListener,
    _ exceeded: ExceededLimit
  ) {
    sendAway(socket, listener)
    tell(exceeded, listener, source: address.ip) {
      UnverifiedPeer(address: address, listener: listener.snapshot)
    }
  }

  /// Says in the listener's protocol that there is no room, at the cost of one send: nobody waits for it to arrive.
  private func sendAway(_ socket: consuming StreamSocket, _ listener: WorkerListener) {
    if let message = Farewell.tooManyConnections.message(listener.snapshot.wireProtocol, sequence: 0) {
      _ = unsafe message.withUnsafeBytes { unsafe socket.send($0) }
      socket.shutdownSending()
      // What has come already must not turn the close into a reset, which may overtake the message.
      _ = unsafe socket.receive(into: plaintext)
    }
    socket.close()
  }

  /// Waits before it accepts again: the descriptors that are missing come back as connections end, and a
  /// level-triggered listener would spin until then.
  private func pauseAccepting(_ index: Int, _ error: SystemError) {
    let listener = listeners[index]
    listener.pause(poller)
    timers.push(now + Self.acceptPause, Token.reserved(UInt32(truncatingIfNeeded: index)))
    tell(exhaustion(error), listener, source: nil) { nil }
  }

  func resumeAccepting(_ index: Int) {
    do {
      try listeners[index].resume(poller, index: index)
    } catch {
      pauseAccepting(index, error)
    }
  }
}
