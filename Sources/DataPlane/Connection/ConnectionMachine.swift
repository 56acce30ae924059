package import AccessPolicy
package import EventLoop

/// The life of one connection, without its sockets: events in, one action out, time as a parameter.
///
/// The shell (``Connection``) does the work that an action names and reports what came of it as the next
/// event. A pair of state and event that cannot happen closes this connection with reason `internal`; it
/// never ends the process, since a remote peer might have found a way to it.
package struct ConnectionMachine: ~Copyable {
  /// Where a connection stands.
  package enum State: Sendable, Hashable, CaseIterable {
    /// TLS is being negotiated; nothing the client says is believed.
    case handshaking
    /// The certificate is verified; the policy is being asked.
    case judging
    /// Allowed; the record of it is with the audit writer, and the upstream does not know yet.
    case recording
    /// The record is accepted; the upstream is being dialled.
    case connecting
    /// Bytes go both ways.
    case relaying
    /// Over; what is left to say to the client is on its way out.
    case lingering
    case closed
  }

  /// What the shell reports.
  package enum Event: Sendable, Hashable {
    case handshakeCompleted
    case handshakeFailed(HandshakeReason)
    /// Room for another unauthenticated connection was needed, and this was the oldest.
    case evicted
    case judged(Verdict)
    case recordAccepted
    case recordRefused
    case upstreamConnected
    case upstreamFailed(FailureReason)
    /// Bytes were moved, so the connection is not idle.
    case moved
    case relayEnded(CloseReason, reset: Bool)
    /// The client's connection broke before there was a relay.
    case clientLost
    /// The drain timeout is over.
    case drained
    /// The shell has said its last word to the client, and the client has heard it or hung up.
    case lingered
    case deadline
  }

  /// What the shell is to do. Endings carry how: `reset` passes a reset on, otherwise the client is told
  /// (alert or `close_notify`) and the connection lingers until that is out.
  package enum Action: Sendable, Hashable {
    case none
    case judge
    case recordVerdict
    case recordDenial
    case dial
    case startRelay
    case recordHandshakeFailure(HandshakeReason)
    case recordEviction
    case refuseUnrecorded
    case recordUpstreamFailure(FailureReason)
    case recordClose(CloseReason, reset: Bool)
    case recordExpiry
    case close
  }

  package private(set) var state: State = .handshaking
  private let timeouts: Timeouts
  /// The end of the present state: of the handshake, the dialling, the lingering.
  private var stateEnd: MonotonicTime?
  private var lastMoved: MonotonicTime
  private let ageEnd: MonotonicTime?
  private var certificateEnd: MonotonicTime?

  package init(timeouts: Timeouts, now: MonotonicTime) {
    self.timeouts = timeouts
    self.lastMoved = now
    self.stateEnd = now + timeouts.handshake
    self.ageEnd = timeouts.age == .zero ? nil : now + timeouts.age
  }

  /// Sets the moment at which the client's certificate ceases to be valid.
  package mutating func certificateExpires(at end: MonotonicTime) { certificateEnd = end }

  /// When ``Event/deadline`` is due next, unless bytes move before.
  package var deadline: MonotonicTime? {
    switch state {
    case .handshaking, .judging, .recording, .connecting, .lingering: return stateEnd
    case .relaying:
      return [lastMoved + timeouts.idle, ageEnd, certificateEnd].compactMap { $0 }.min()
    case .closed: return nil
    }
  }
}

extension ConnectionMachine {
  /// Spans of time that bound a connection.
  package struct Timeouts: Sendable {
    package var handshake: Duration
    package var connect: Duration
    package var idle: Duration
    /// Zero stands for no bound.
    package var age: Duration
    /// How long the last word may take to reach a client that does not hang up.
    package var linger: Duration

    package init(
      handshake: Duration, connect: Duration, idle: Duration, age: Duration, linger: Duration = .seconds(2)
    ) {
      self.handshake = handshake
      self.connect = connect
      self.idle = idle
      self.age = age
      self.linger = linger
    }
  }

  /// Takes an event in and says what is to be done about it.
  package mutating func handle(_ event: Event, at now: MonotonicTime) -> Action {
    switch (state, event) {
    // The handshake.
    case (.handshaking, .handshakeCompleted): return enter(.judging, .judge, now)
    case (.handshaking, .handshakeFailed(let reason)):
      return enter(.lingering, .recordHandshakeFailure(reason), now)
    case (.handshaking, .evicted): return enter(.closed, .recordEviction, now)
    case (.handshaking, .clientLost): return enter(.closed, .recordHandshakeFailure(.clientClosed), now)
    case (.handshaking, .deadline):
      return isDue(now) ? enter(.lingering, .recordHandshakeFailure(.timeout), now) : .none

    // The verdict, then its record, and only then the upstream.
    case (.judging, .judged(.allow)): return enter(.recording, .recordVerdict, now)
    case (.judging, .judged(.deny)): return enter(.lingering, .recordDenial, now)
    case (.recording, .recordAccepted): return enter(.connecting, .dial, now)
    case (.recording, .recordRefused): return enter(.lingering, .refuseUnrecorded, now)
    case (.recording, .deadline): return isDue(now) ? enter(.lingering, .refuseUnrecorded, now) : .none
    case (.connecting, .upstreamConnected): return enter(.relaying, .startRelay, now)
    case (.connecting, .upstreamFailed(let reason)):
      return enter(.lingering, .recordUpstreamFailure(reason), now)
    case (.connecting, .deadline):
      return isDue(now) ? enter(.lingering, .recordUpstreamFailure(.upstreamTimeout), now) : .none
    case (.recording, .clientLost), (.connecting, .clientLost):
      return enter(.closed, .recordClose(.clientReset, reset: true), now)

    // The relay.
    case (.relaying, .moved):
      lastMoved = now
      return .none
    case (.relaying, .relayEnded(let reason, let reset)):
      return enter(reset ? .closed : .lingering, .recordClose(reason, reset: reset), now)
    case (.relaying, .deadline): return relayDeadline(now)

    // The end.
    case (.recording, .drained), (.connecting, .drained), (.relaying, .drained):
      return enter(.lingering, .recordClose(.drain, reset: false), now)
    case (.handshaking, .drained): return enter(.closed, .recordHandshakeFailure(.timeout), now)
    case (.lingering, .lingered), (.lingering, .clientLost), (.lingering, .drained):
      return enter(.closed, .close, now)
    case (.lingering, .deadline): return isDue(now) ? enter(.closed, .close, now) : .none

    // Late news: the answer of the audit writer, or a timer, after the connection has ended.
    case (.lingering, .recordAccepted), (.lingering, .recordRefused), (.closed, .recordAccepted),
      (.closed, .recordRefused), (.closed, .deadline), (.closed, .drained), (.closed, .clientLost),
      (.closed, .lingered), (.lingering, .moved), (.closed, .moved):
      return .none

    // Cannot happen: no handshake step after the handshake, no verdict twice, no upstream before its dial,
    // no relay before its upstream, no eviction of a verified client, nothing but a verdict while judging.
    case (.judging, _), (_, .handshakeCompleted), (_, .handshakeFailed), (_, .evicted), (_, .judged),
      (_, .recordAccepted), (_, .recordRefused), (_, .upstreamConnected), (_, .upstreamFailed),
      (_, .relayEnded), (_, .moved), (_, .lingered), (_, .clientLost), (_, .drained), (_, .deadline):
      return violation(now)
    }
  }

  private mutating func relayDeadline(_ now: MonotonicTime) -> Action {
    if let end = certificateEnd, end <= now { return enter(.lingering, .recordExpiry, now) }
    if let end = ageEnd, end <= now {
      return enter(.lingering, .recordClose(.maxAge, reset: false), now)
    }
    guard lastMoved + timeouts.idle <= now else { return .none }
    return enter(.lingering, .recordClose(.idleTimeout, reset: false), now)
  }

  private mutating func violation(_ now: MonotonicTime) -> Action {
    state == .closed ? .none : enter(.closed, .recordClose(.internal, reset: true), now)
  }

  private func isDue(_ now: MonotonicTime) -> Bool { stateEnd.map { $0 <= now } ?? false }

  private mutating func enter(_ next: State, _ action: Action, _ now: MonotonicTime) -> Action {
    state = next
    switch next {
    // A record that nobody answers for is bounded like the handshake before it.
    case .recording: stateEnd = now + timeouts.handshake
    case .connecting: stateEnd = now + timeouts.connect
    case .lingering: stateEnd = now + timeouts.linger
    case .relaying:
      lastMoved = now
      stateEnd = nil
    case .handshaking, .judging, .closed: break
    }
    return action
  }
}
