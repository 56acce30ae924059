package import AccessPolicy

/// Which of the two ways through a relay.
package enum RelayDirection: Sendable, Hashable, CaseIterable {
  case toUpstream, toClient

  package var opposite: RelayDirection { self == .toUpstream ? .toClient : .toUpstream }
}

/// How far each direction of a relay has come: a peer that stops sending has half-closed, and the other
/// direction goes on until it ends too.
package struct RelayFlow: Sendable, Hashable {
  package enum Phase: Sendable, Hashable {
    case open
    /// The source has ended; bytes are still on their way to the destination.
    case draining
    /// The destination has got all bytes and been told that no more will come.
    case finished
  }

  /// What the shell is to do.
  package enum Action: Sendable, Hashable {
    case none
    /// All bytes are out: tell the destination that no more will come.
    case shutDownDestination(RelayDirection)
    /// Both directions are done.
    case end(CloseReason)
  }

  package private(set) var toUpstream: Phase = .open
  package private(set) var toClient: Phase = .open
  /// The peer that ended first gives the reason of a graceful end.
  private var firstEnded: RelayDirection?

  package init() {}

  package func phase(_ direction: RelayDirection) -> Phase {
    direction == .toUpstream ? toUpstream : toClient
  }

  /// The source of a direction sends no more.
  /// - Parameter isFlushed: whether everything it sent is already out.
  package mutating func sourceEnded(_ direction: RelayDirection, isFlushed: Bool) -> Action {
    guard phase(direction) == .open else { return .none }
    if firstEnded == nil { firstEnded = direction }
    set(direction, .draining)
    return isFlushed ? flushed(direction) : .none
  }

  /// Everything that a direction held is out.
  package mutating func flushed(_ direction: RelayDirection) -> Action {
    guard phase(direction) == .draining else { return .none }
    set(direction, .finished)
    return .shutDownDestination(direction)
  }

  /// The destination of a finished direction has been told.
  package func destinationWasShutDown() -> Action {
    guard toUpstream == .finished, toClient == .finished else { return .none }
    return .end(firstEnded == .toClient ? .upstreamClosed : .clientClosed)
  }

  /// The connection to a peer broke.
  ///
  /// A peer that has ended its own sending and then refuses to hear more has closed, not failed: servers
  /// answer with a reset to bytes that come after they closed (RFC 9293 §3.10.7.1).
  /// - Returns: the reason, and whether the other peer is to see a reset.
  package func broken(_ peer: RelayDirection) -> (reason: CloseReason, reset: Bool) {
    let peerHadEnded = phase(peer) != .open
    switch peer {
    case .toUpstream: return peerHadEnded ? (.clientClosed, false) : (.clientReset, true)
    case .toClient: return peerHadEnded ? (.upstreamClosed, false) : (.upstreamReset, true)
    }
  }

  private mutating func set(_ direction: RelayDirection, _ phase: Phase) {
    switch direction {
    case .toUpstream: toUpstream = phase
    case .toClient: toClient = phase
    }
  }
}
