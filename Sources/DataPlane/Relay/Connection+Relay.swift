import AccessPolicy
import EventLoop

extension Connection {
  /// Bytes moved each way before other connections get their turn.
  private static let turnBudget = 4 * Worker.plaintextCapacity

  func startRelay(_ worker: Worker) {
    // A client that became another user was relayed before.
    guard relay?.isOpen == true || openUpstream(worker) else { return }
    relay?.isOpen = true
    // Bytes may have come while the client was not looked at, and edges are told once.
    client.socket.isReadable = true
    // A cancel says nothing more, and nothing more is taken from whoever sent it.
    if case .cancel? = purpose {
      sourceEnded(.toUpstream, isFlushed: upstream?.unsent.isEmpty ?? true, worker)
    }
    moveBytes(worker)
  }

  /// Moves what can be moved in both directions.
  func moveBytes(_ worker: Worker) {
    for direction in RelayDirection.allCases {
      move(direction, worker)
      guard machine.state == .relaying else { return }
    }
    noticeBrokenPeers(worker)
  }

  private func move(_ direction: RelayDirection, _ worker: Worker) {
    guard let upstream else { return handle(.relayEnded(.internal, reset: true), worker) }
    let (source, destination) = direction == .toUpstream ? (client, upstream) : (upstream, client)
    guard flush(destination, direction, worker), direction == .toClient || mysql?.isHeldBack != true else {
      return
    }
    var budget = Self.turnBudget
    while machine.state == .relaying, relay?.flow.phase(direction) == .open, destination.unsent.isEmpty {
      guard budget > 0 else { return worker.putOff(self) }
      var filled = 0
      let state = source.read(worker, &filled)
      if filled > 0 {
        budget -= filled
        relay?.count(filled, direction)
        handle(.moved, worker)
        guard pass(filled, direction, to: destination, worker) else { return }
      }
      switch state {
      // Records without data, as many as there may be: the others have their turn.
      case .more where filled == 0: return worker.putOff(self)
      case .more: break
      case .waits: return
      case .ended: return sourceEnded(direction, isFlushed: destination.unsent.isEmpty, worker)
      case .broken: return peerBroken(direction, worker)
      }
    }
  }

  /// Passes on what stands in the worker's plaintext buffer. Protocols that are listened to are so here, and
  /// cost nothing once they have said what matters.
  /// - Returns: whether more may be read.
  private func pass(_ filled: Int, _ direction: RelayDirection, to destination: Side, _ worker: Worker)
    -> Bool
  {
    let bytes = unsafe UnsafeRawBufferPointer(rebasing: worker.plaintext[..<filled])
    if direction == .toClient {
      unsafe serverTail?.note(bytes)
      unsafe mysql?.serverTail.note(bytes)
      mysql?.awaitsAnswer = false
      if watch != nil { unsafe watchUpstream(bytes, worker) }
    }
    if mysql != nil, direction == .toUpstream { return unsafe passCommands(bytes, to: destination, worker) }
    if unsafe destination.write(bytes, worker) { return true }
    peerBroken(direction.opposite, worker)
    return false
  }

  /// - Returns: whether nothing waits any more, so that more may be read.
  private func flush(_ destination: Side, _ direction: RelayDirection, _ worker: Worker) -> Bool {
    if destination.flush() { handle(.moved, worker) }
    guard destination.unsent.isEmpty else { return false }
    if let action = relay?.flow.flushed(direction) { follow(action, worker) }
    return machine.state == .relaying
  }

  // MARK: Ends

  private func sourceEnded(_ direction: RelayDirection, isFlushed: Bool, _ worker: Worker) {
    if let action = relay?.flow.sourceEnded(direction, isFlushed: isFlushed) { follow(action, worker) }
  }

  private func follow(_ action: RelayFlow.Action, _ worker: Worker) {
    switch action {
    case .none: return
    case .shutDownDestination(.toUpstream): upstream?.end(worker)
    case .shutDownDestination(.toClient):
      // What the upstream left unfinished must not look finished to the client.
      if upstream?.isTruncated == true { client.cut() }
      client.end(worker)
    case .end(let reason): return handle(.relayEnded(reason, reset: false), worker)
    }
    if case .end(let reason)? = relay?.flow.destinationWasShutDown() {
      handle(.relayEnded(reason, reset: false), worker)
    }
  }

  /// - Parameter peer: the direction whose source broke.
  func peerBroken(_ peer: RelayDirection, _ worker: Worker) {
    if peer == .toClient, upstreamHasRefused(worker) { return }
    guard let ending = relay?.flow.broken(peer) else { return }
    handle(.relayEnded(ending.reason, reset: ending.reset), worker)
  }

  /// A peer whose direction is finished is not read any more, so its reset shows only here. One whose bytes
  /// are still on their way may have gone by now without harm: they are delivered first.
  private func noticeBrokenPeers(_ worker: Worker) {
    if client.socket.isBroken, relay?.flow.toUpstream == .finished { return peerBroken(.toUpstream, worker) }
    if upstream?.socket.isBroken == true, relay?.flow.toClient == .finished { peerBroken(.toClient, worker) }
  }
}
