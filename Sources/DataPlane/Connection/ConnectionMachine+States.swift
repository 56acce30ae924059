import AccessPolicy
import EventLoop

/// One state a function, every event named: what leads on, then what cannot happen there.
extension ConnectionMachine {
  // MARK: Before the verdict, under one deadline

  mutating func negotiating(_ event: Event, _ now: MonotonicTime) -> Action {
    switch event {
    case .negotiated: return enter(.handshaking, .startTLS, now)
    case .cancelRequested: return enter(.judging, .judge, now)
    case .evicted: return enter(.closed, .recordEviction, now)
    case .overLimit: return enter(.closed, .recordLimit, now)
    case .handshakeFailed(let reason): return enter(.lingering, .recordHandshakeFailure(reason), now)
    case .clientLost, .drained, .deadline: return endUnjudged(event, now)
    // TLS has not begun.
    case .handshakeCompleted, .introduced, .judged, .recordAccepted, .recordRefused, .dialled,
      .upstreamConnected, .upstreamPrepared, .upstreamLost, .upstreamFailed, .moved, .relayEnded, .lingered,
      .authenticating, .userChanged, .userChangeDenied, .revoked:
      return violation(now)
    }
  }

  mutating func handshaking(_ event: Event, _ now: MonotonicTime) -> Action {
    switch event {
    case .handshakeCompleted:
      return course.introduces ? enter(.introducing, .introduce, now) : enter(.judging, .judge, now)
    case .evicted: return enter(.closed, .recordEviction, now)
    case .handshakeFailed(let reason): return enter(.lingering, .recordHandshakeFailure(reason), now)
    case .clientLost, .drained, .deadline: return endUnjudged(event, now)
    // Nobody is verified, so there is nothing to judge, and TLS begins once.
    case .negotiated, .cancelRequested, .introduced, .judged, .recordAccepted, .recordRefused,
      .dialled, .upstreamConnected, .upstreamPrepared, .upstreamLost, .upstreamFailed, .moved, .relayEnded,
      .lingered, .authenticating, .userChanged, .userChangeDenied, .revoked,
      .overLimit:
      return violation(now)
    }
  }

  mutating func introducing(_ event: Event, _ now: MonotonicTime) -> Action {
    switch event {
    case .introduced: return enter(.judging, .judge, now)
    case .handshakeFailed(let reason): return enter(.lingering, .recordHandshakeFailure(reason), now)
    case .clientLost, .drained, .deadline: return endUnjudged(event, now)
    // A verified client is not evicted, and the handshake is over.
    case .negotiated, .cancelRequested, .handshakeCompleted, .evicted, .judged, .recordAccepted,
      .recordRefused, .dialled, .upstreamConnected, .upstreamPrepared, .upstreamLost, .upstreamFailed, .moved,
      .relayEnded, .lingered, .authenticating, .userChanged, .userChangeDenied, .revoked,
      .overLimit:
      return violation(now)
    }
  }

  private mutating func endUnjudged(_ event: Event, _ now: MonotonicTime) -> Action {
    if event == .clientLost { return enter(.closed, .recordHandshakeFailure(.clientClosed), now) }
    // Within TLS a client can still be told.
    if event == .drained {
      return enter(state == .introducing ? .lingering : .closed, .recordHandshakeFailure(.timeout), now)
    }
    return isDue(now) ? enter(.lingering, .recordHandshakeFailure(.timeout), now) : .none
  }

  // MARK: The verdict, then its record, and only then the upstream

  mutating func judging(_ event: Event, _ now: MonotonicTime) -> Action {
    switch event {
    case .judged(.allow): return enter(.recording, .recordVerdict, now)
    case .judged(.deny): return enter(.lingering, .recordDenial, now)
    // The trust in the client's chain has changed since the handshake, and the chain does not do any more.
    case .handshakeFailed(let reason): return enter(.lingering, .recordHandshakeFailure(reason), now)
    case .overLimit: return enter(.lingering, .recordLimit, now)
    // The policy answers within the call that asks it, so nothing can come between.
    case .negotiated, .cancelRequested, .handshakeCompleted, .introduced, .evicted, .recordAccepted,
      .recordRefused, .dialled, .upstreamConnected, .upstreamPrepared, .upstreamLost, .upstreamFailed, .moved,
      .relayEnded, .clientLost, .drained, .lingered, .deadline, .authenticating, .userChanged,
      .userChangeDenied, .revoked:
      return violation(now)
    }
  }

  mutating func recording(_ event: Event, _ now: MonotonicTime) -> Action {
    switch event {
    case .recordAccepted: return enter(.connecting, .dial, now)
    case .recordRefused: return enter(.lingering, .refuseUnrecorded, now)
    case .deadline: return isDue(now) ? enter(.lingering, .refuseUnrecorded, now) : .none
    case .clientLost: return enter(.closed, .recordClose(.clientReset, reset: true), now)
    case .drained: return enter(.lingering, .recordClose(.drain, reset: false), now)
    case .revoked: return enter(.lingering, .recordRevocation, now)
    // No verdict twice, and no upstream before its dial.
    case .negotiated, .cancelRequested, .handshakeCompleted, .introduced, .handshakeFailed, .evicted, .judged,
      .dialled, .upstreamConnected, .upstreamPrepared, .upstreamLost, .upstreamFailed, .moved, .relayEnded,
      .lingered, .authenticating, .userChanged, .userChangeDenied, .overLimit:
      return violation(now)
    }
  }

  mutating func connecting(_ event: Event, _ now: MonotonicTime) -> Action {
    switch event {
    case .dialled(let hasNext): return noteDialled(hasNext, now)
    case .upstreamConnected:
      return course.prepares ? enter(.preparing, .prepare, now) : enter(.relaying, .startRelay, now)
    case .upstreamFailed(let reason): return enter(.lingering, .recordUpstreamFailure(reason), now)
    case .deadline: return attemptDeadline(.dialNext, now)
    case .clientLost: return enter(.closed, .recordClose(.clientReset, reset: true), now)
    case .drained: return enter(.lingering, .recordClose(.drain, reset: false), now)
    case .revoked: return enter(.lingering, .recordRevocation, now)
    // No relay before its upstream, and no record twice.
    case .negotiated, .cancelRequested, .handshakeCompleted, .introduced, .handshakeFailed, .evicted, .judged,
      .recordAccepted, .recordRefused, .upstreamPrepared, .upstreamLost, .moved, .relayEnded, .lingered,
      .authenticating, .userChanged, .userChangeDenied, .overLimit:
      return violation(now)
    }
  }

  mutating func preparing(_ event: Event, _ now: MonotonicTime) -> Action {
    switch event {
    case .authenticating:
      // The upstream has answered; the client has as long for its part as it had before the verdict.
      stateEnd = now + timeouts.handshake
      // The client's packets go to this upstream, so there is no other one any more.
      hasSpareAddress = false
      nextAttempt = nil
      return .none
    case .upstreamPrepared: return enter(.relaying, .startRelay, now)
    // One of the two hung up while the client authenticated.
    case .relayEnded(let reason, let reset):
      return enter(reset ? .closed : .lingering, .recordClose(reason, reset: reset), now)
    case .upstreamLost: return enter(.connecting, .dialNext, now)
    case .upstreamFailed(let reason): return enter(.lingering, .recordUpstreamFailure(reason), now)
    case .deadline: return attemptDeadline(.giveUpAddress, now)
    case .clientLost: return enter(.closed, .recordClose(.clientReset, reset: true), now)
    case .drained: return enter(.lingering, .recordClose(.drain, reset: false), now)
    case .revoked: return enter(.lingering, .recordRevocation, now)
    // As while connecting; and the upstream answers a dial once.
    case .negotiated, .cancelRequested, .handshakeCompleted, .introduced, .handshakeFailed, .evicted, .judged,
      .recordAccepted, .recordRefused, .dialled, .upstreamConnected, .moved, .lingered, .userChanged,
      .userChangeDenied, .overLimit:
      return violation(now)
    }
  }

  private mutating func noteDialled(_ hasNext: Bool, _ now: MonotonicTime) -> Action {
    nextAttempt = hasNext ? now + timeouts.attempt : nil
    return .none
  }

  private mutating func attemptDeadline(_ action: Action, _ now: MonotonicTime) -> Action {
    if !isDue(now), let next = nextAttempt, next <= now {
      nextAttempt = nil
      return action
    }
    return upstreamDeadline(now)
  }

  private mutating func upstreamDeadline(_ now: MonotonicTime) -> Action {
    isDue(now) ? enter(.lingering, .recordUpstreamFailure(.upstreamTimeout), now) : .none
  }

  // MARK: The relay, and the end

  mutating func relaying(_ event: Event, _ now: MonotonicTime) -> Action {
    switch event {
    case .moved: return noteMoved(now)
    case .userChanged:
      stateEnd = now + timeouts.handshake
      hasSpareAddress = false
      return enter(.preparing, .reauthenticate, now)
    case .userChangeDenied: return enter(.lingering, .recordUserChangeDenied, now)
    // That of a change of the user.
    case .recordRefused: return enter(.lingering, .refuseUnrecorded, now)
    case .relayEnded(let reason, let reset):
      return enter(reset ? .closed : .lingering, .recordClose(reason, reset: reset), now)
    // Its TLS refused us before it said anything.
    case .upstreamFailed(let reason): return enter(.lingering, .recordUpstreamFailure(reason), now)
    case .deadline: return relayDeadline(now)
    case .drained: return enter(.lingering, .recordClose(.drain, reset: false), now)
    case .revoked: return enter(.lingering, .recordRevocation, now)
    // All steps before the relay are over, and a broken client is the relay's own news.
    case .negotiated, .cancelRequested, .handshakeCompleted, .introduced, .handshakeFailed, .evicted, .judged,
      .recordAccepted, .dialled, .upstreamConnected, .upstreamPrepared, .upstreamLost,
      .clientLost, .lingered, .authenticating, .overLimit:
      return violation(now)
    }
  }

  mutating func lingering(_ event: Event, _ now: MonotonicTime) -> Action {
    switch event {
    case .lingered, .clientLost, .drained: return enter(.closed, .close, now)
    case .deadline: return isDue(now) ? enter(.closed, .close, now) : .none
    case .evicted: return isUnauthenticated ? enter(.closed, .close, now) : violation(now)
    // Late news: the answer of the audit writer, or bytes that moved on after the end.
    case .recordAccepted, .recordRefused, .moved: return .none
    case .negotiated, .cancelRequested, .handshakeCompleted, .introduced, .handshakeFailed, .judged,
      .dialled, .upstreamConnected, .upstreamPrepared, .upstreamLost, .upstreamFailed, .relayEnded,
      .authenticating, .userChanged, .userChangeDenied, .revoked,
      .overLimit:
      return violation(now)
    }
  }

  private mutating func noteMoved(_ now: MonotonicTime) -> Action {
    lastMoved = now
    return .none
  }

  private mutating func relayDeadline(_ now: MonotonicTime) -> Action {
    if let end = ageEnd, end <= now {
      return enter(.lingering, .recordClose(.maxAge, reset: false), now)
    }
    guard lastMoved + timeouts.idle <= now else { return .none }
    return enter(.lingering, .recordClose(.idleTimeout, reset: false), now)
  }

  private mutating func violation(_ now: MonotonicTime) -> Action {
    enter(.closed, .recordClose(.internal, reset: true), now)
  }

  private func isDue(_ now: MonotonicTime) -> Bool { stateEnd.map { $0 <= now } ?? false }

  private mutating func enter(_ next: State, _ action: Action, _ now: MonotonicTime) -> Action {
    let previous = state
    state = next
    switch next {
    // A record that nobody answers for is bounded like the handshake before it.
    case .recording: stateEnd = now + timeouts.handshake
    // One bound over all addresses and what has to be said to them first.
    case .connecting: if previous == .recording { stateEnd = now + timeouts.connect }
    case .lingering: stateEnd = now + timeouts.linger
    case .relaying:
      lastMoved = now
      stateEnd = nil
    // A server that takes connections and then says nothing must not use up the time of those that work.
    case .preparing: nextAttempt = hasSpareAddress ? stateEnd.map { now + ($0 - now) / 2 } : nil
    // The handshake is complete, or a key of a live connection stands for it.
    case .introducing, .judging: hasPassed = true
    case .negotiating, .handshaking, .closed: break
    }
    return action
  }
}
