import AccessPolicy
import AuditLog
import EventLoop
import TLSEngine

extension Worker {
  /// How long nobody is accepted after the process ran out of descriptors or memory.
  private static let acceptPause = Duration.milliseconds(100)

  func acceptClients(of index: Int) {
    let listener = listeners[index]
    for _ in 0..<listener.acceptBatch {
      switch listener.accept() {
      case nil: return
      case .wouldBlock?: return
      case .retry?: continue
      case .accepted(let socket, let address)?: admit(socket, from: address, listener)
      case .exhausted(let error)?: return pauseAccepting(index, error)
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
    guard environment.admission.enter() else {
      return turnAway(
        socket, address, listener, limit: environment.admission.limit, scope: .gateway)
    }
    guard listener.admission.enter() else {
      environment.admission.leave()
      return turnAway(socket, address, listener, limit: listener.admission.limit, scope: .listener)
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
    let isWaiting: (Token) -> Bool = { [connections] in
      connections[$0].map { $0.machine.isUnauthenticated } ?? false
    }
    listener.unauthenticated.trim(where: isWaiting)
    guard listener.unauthenticated.count >= listener.handshakeShare,
      let oldest = listener.unauthenticated.oldest(where: isWaiting)
    else { return }
    connections[oldest]?.handle(.evicted, self)
  }

  private func turnAway(
    _ socket: consuming StreamSocket, _ address: NetworkAddress, _ listener: WorkerListener,
    limit: Int, scope: AuditEvent.LimitReached.Scope
  ) {
    sendAway(socket, listener)
    let peer = UnverifiedPeer(address: address, listener: listener.snapshot)
    record(
      .limitReached(
        .init(
          limit: "max_connections", value: limit, scope: scope,
          context: listener.context(of: peer.facts, id: RandomID.next(), start: wallClock))))
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
    record(
      .limitReached(
        .init(
          limit: error.name, value: connections.count, scope: .gateway,
          context: listener.context(of: Facts(), id: RandomID.next(), start: wallClock))))
  }

  func resumeAccepting(_ index: Int) {
    do {
      try listeners[index].resume(poller, index: index)
    } catch {
      pauseAccepting(index, error)
    }
  }
}
