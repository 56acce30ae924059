import AccessPolicy
import EventLoop
import TLSEngine

extension Connection {
  /// Bytes moved each way before other connections get their turn.
  private static let turnBudget = 4 * Worker.plaintextCapacity

  func startRelay(_ worker: Worker) {
    client.isReadable = true
    moveBytes(worker)
  }

  /// Moves what can be moved in both directions.
  func moveBytes(_ worker: Worker) {
    moveToUpstream(worker)
    guard machine.state == .relaying else { return }
    moveToClient(worker)
    guard machine.state == .relaying else { return }
    noticeBrokenPeers(worker)
  }

  // MARK: From the client to the upstream

  private func moveToUpstream(_ worker: Worker) {
    guard flushToUpstream(worker) else { return }
    var budget = Self.turnBudget
    while machine.state == .relaying, relay?.flow.toUpstream == .open {
      guard budget > 0 else { return worker.deferred.append(token) }
      loadInbound(worker)
      var filled = 0
      let source = decrypt(worker, &filled)
      saveInbound(worker)
      flushRecords(worker)
      if filled > 0 {
        budget -= filled
        relay?.bytesFromClient &+= UInt64(filled)
        handle(.moved, worker)
        guard unsafe sendToUpstream(UnsafeRawBufferPointer(rebasing: worker.plaintext[..<filled]), worker)
        else { return }
      }
      switch source {
      case .more: break
      case .waits: return
      case .ended: return sourceEnded(.toUpstream, isFlushed: toUpstream.isEmpty, worker)
      case .broken: return peerBroken(.toUpstream, worker)
      }
      guard toUpstream.isEmpty else { return }
    }
  }

  /// What is to be expected of the client after a step.
  private enum Source { case more, waits, ended, broken }

  /// Fills the worker's plaintext buffer as far as the client's bytes go: several records make one send.
  private func decrypt(_ worker: Worker, _ filled: inout Int) -> Source {
    guard let session else { return .broken }
    while unsafe filled < worker.plaintext.count {
      let room = unsafe UnsafeMutableRawBufferPointer(rebasing: worker.plaintext[filled...])
      switch unsafe session.read(into: room) {
      case .bytes(let count): filled += count
      case .closeNotify: return .ended
      case .failed: return .broken
      case .wouldBlock:
        guard client.isReadable else { return .waits }
        let space = unsafe worker.buffers.inboundSpace
        // Only a session that cannot write any more leaves so much unread.
        guard unsafe !space.isEmpty else { return .broken }
        switch unsafe client.receive(into: space) {
        case .bytes(let count): worker.buffers.received(count)
        case .wouldBlock: return .waits
        case .endOfStream:
          relay?.isTruncated = true
          return .ended
        case .failed: return .broken
        }
      }
    }
    return .more
  }

  /// - Returns: whether the relay goes on; what the upstream did not take waits.
  private func sendToUpstream(_ bytes: UnsafeRawBufferPointer, _ worker: Worker) -> Bool {
    switch unsafe upstream?.send(bytes) {
    case .bytes(let count)?: unsafe toUpstream.append(UnsafeRawBufferPointer(rebasing: bytes[count...]))
    case .wouldBlock?: unsafe toUpstream.append(bytes)
    case .failed?, .endOfStream?, nil:
      peerBroken(.toClient, worker)
      return false
    }
    return true
  }

  /// - Returns: whether nothing waits any more, so that more may be read.
  private func flushToUpstream(_ worker: Worker) -> Bool {
    guard !toUpstream.isEmpty else { return true }
    let waiting = toUpstream.count
    var failed = false
    while !toUpstream.isEmpty, !failed, upstream?.isWritable == true {
      unsafe toUpstream.take { bytes in
        switch unsafe upstream?.send(bytes) {
        case .bytes(let count)?: return count
        case .wouldBlock?: return 0
        case .failed?, .endOfStream?, nil:
          failed = true
          return 0
        }
      }
    }
    if failed {
      peerBroken(.toClient, worker)
      return false
    }
    if toUpstream.count < waiting { handle(.moved, worker) }
    guard toUpstream.isEmpty else { return false }
    if let action = relay?.flow.flushed(.toUpstream) { follow(action, worker) }
    return machine.state == .relaying
  }

  // MARK: From the upstream to the client

  private func moveToClient(_ worker: Worker) {
    let waiting = toClient.count
    flushToClient(worker)
    if toClient.count < waiting { handle(.moved, worker) }
    guard toClient.isEmpty else { return }
    if let action = relay?.flow.flushed(.toClient) { follow(action, worker) }
    var budget = Self.turnBudget
    while machine.state == .relaying, relay?.flow.toClient == .open, toClient.isEmpty,
      upstream?.isReadable == true
    {
      guard budget > 0 else { return worker.deferred.append(token) }
      switch unsafe upstream?.receive(into: worker.plaintext) {
      case .bytes(let count)?:
        budget -= count
        relay?.bytesFromUpstream &+= UInt64(count)
        handle(.moved, worker)
        guard unsafe encrypt(UnsafeRawBufferPointer(rebasing: worker.plaintext[..<count]), worker) else {
          return peerBroken(.toUpstream, worker)
        }
      case .wouldBlock?: return
      case .endOfStream?: sourceEnded(.toClient, isFlushed: toClient.isEmpty, worker)
      case .failed?, nil: return peerBroken(.toClient, worker)
      }
    }
  }

  /// - Returns: false where OpenSSL cannot go on.
  private func encrypt(_ bytes: UnsafeRawBufferPointer, _ worker: Worker) -> Bool {
    guard let session else { return false }
    var written = 0
    while written < bytes.count {
      switch unsafe session.write(UnsafeRawBufferPointer(rebasing: bytes[written...])) {
      case .bytes(let count): written += count
      // The outbound buffer is full: its bytes move on to the client or wait for it.
      case .wouldBlock where unsafe !worker.buffers.outbound.isEmpty: flushRecords(worker)
      case .wouldBlock, .failed: return false
      }
    }
    flushRecords(worker)
    return true
  }

  // MARK: Ends

  private func sourceEnded(_ direction: RelayDirection, isFlushed: Bool, _ worker: Worker) {
    if let action = relay?.flow.sourceEnded(direction, isFlushed: isFlushed) { follow(action, worker) }
  }

  private func follow(_ action: RelayFlow.Action, _ worker: Worker) {
    switch action {
    case .none: return
    case .shutDownDestination(.toUpstream): upstream?.shutdownSending()
    case .shutDownDestination(.toClient):
      session?.sendCloseNotify()
      flushRecords(worker)
      clientEndsAfterFlush = true
      flushToClient(worker)
    case .end(let reason): return handle(.relayEnded(reason, reset: false), worker)
    }
    if case .end(let reason)? = relay?.flow.destinationWasShutDown() {
      handle(.relayEnded(reason, reset: false), worker)
    }
  }

  private func peerBroken(_ peer: RelayDirection, _ worker: Worker) {
    guard let ending = relay?.flow.broken(peer) else { return }
    handle(.relayEnded(ending.reason, reset: ending.reset), worker)
  }

  /// A peer whose direction is finished is not read any more, so its reset shows only here. One whose bytes
  /// are still on their way may have gone by now without harm: they are delivered first.
  private func noticeBrokenPeers(_ worker: Worker) {
    if client.isBroken, relay?.flow.toUpstream == .finished { return peerBroken(.toUpstream, worker) }
    if upstream?.isBroken == true, relay?.flow.toClient == .finished { peerBroken(.toClient, worker) }
  }
}
