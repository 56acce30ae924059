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
    /// Before TLS: a PROXY header is awaited, or the client asks for TLS in the words of its protocol.
    case negotiating
    /// TLS is being negotiated; nothing the client says is believed.
    case handshaking
    /// Within TLS: the first message of the client's protocol, which says more of what is to be judged.
    case introducing
    /// The certificate is verified; the policy is being asked.
    case judging
    /// Allowed; the record of it is with the audit writer, and the upstream does not know yet.
    case recording
    /// The record is accepted; the upstream is being dialled.
    case connecting
    /// The upstream has answered; what comes before the relay (its TLS) is being done.
    case preparing
    /// Bytes go both ways.
    case relaying
    /// Over; what is left to say to the client is on its way out.
    case lingering
    case closed
  }

  /// What the shell reports.
  package enum Event: Sendable, Hashable {
    /// The next bytes are TLS.
    case negotiated
    /// The client wants nothing but to cancel a query, in plaintext.
    case cancelRequested
    case handshakeCompleted
    case introduced
    case handshakeFailed(HandshakeReason)
    /// Room for another unauthenticated connection was needed, and this was the oldest.
    case evicted
    /// Its source or its caller has as many connections as it may.
    case overLimit
    case judged(Verdict)
    case recordAccepted
    case recordRefused
    /// An address of the upstream is being dialled; `hasNext`: another one could be dialled beside it.
    case dialled(hasNext: Bool)
    case upstreamConnected
    /// The client proves itself to the upstream, through the gateway.
    case authenticating
    case upstreamPrepared
    /// This address of the upstream did not do, and there is another one to try.
    case upstreamLost
    case upstreamFailed(FailureReason)
    /// Bytes were moved, so the connection is not idle.
    case moved
    /// The client became another user of the upstream, which the policy allows and the log has.
    case userChanged
    /// It wants to become one that it may not be.
    case userChangeDenied
    /// What let it in does not hold any more.
    case revoked
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
    case startTLS
    case introduce
    case judge
    case recordVerdict
    case recordDenial
    case dial
    case dialNext
    case prepare
    case reauthenticate
    case recordUserChangeDenied
    /// This address has had its part of the time, and there is another one.
    case giveUpAddress
    case startRelay
    case recordHandshakeFailure(HandshakeReason)
    case recordEviction
    case recordLimit
    case refuseUnrecorded
    case recordUpstreamFailure(FailureReason)
    case recordClose(CloseReason, reset: Bool)
    /// The moment has come to ask again whether it may go on.
    case review
    case recordRevocation
    case close
  }

  /// Which of the stages that not every connection has this one goes through.
  package struct Course: Sendable, Hashable {
    package var negotiates: Bool
    package var introduces: Bool
    package var prepares: Bool

    package init(negotiates: Bool = false, introduces: Bool = false, prepares: Bool = false) {
      self.negotiates = negotiates
      self.introduces = introduces
      self.prepares = prepares
    }
  }

  package internal(set) var state: State
  private(set) var course: Course
  private(set) var timeouts: Timeouts
  /// The end of the present state: of the handshake, the dialling, the lingering.
  var stateEnd: MonotonicTime?
  /// While connecting: when the next address is dialled beside those that have not answered. While preparing:
  /// when this one is given up for the next.
  var nextAttempt: MonotonicTime?
  /// Another address could be dialled if the one that is connected does not do.
  package var hasSpareAddress = false
  var lastMoved: MonotonicTime
  private let began: MonotonicTime
  /// When a moment of the wall clock comes at which what let the connection in may hold no more.
  var reviewTime: MonotonicTime?
  /// The handshake is behind it.
  var hasPassed = false

  package init(course: Course = Course(), timeouts: Timeouts, now: MonotonicTime) {
    self.state = course.negotiates ? .negotiating : .handshaking
    self.course = course
    self.timeouts = timeouts
    self.lastMoved = now
    self.began = now
    self.stateEnd = now + timeouts.handshake
  }

  /// Sets when ``Action/review`` is due; nil: time alone changes nothing. The moment is one of the wall clock, which
  /// can be set: whoever notices that it was sets this anew.
  package mutating func review(at time: MonotonicTime?) { reviewTime = time }

  /// Takes what a new configuration says.
  /// - Parameter prepares: whether there is something to do between the upstream's answer and the relay; nil where
  ///   the upstream is being dialled already.
  package mutating func adopt(_ timeouts: Timeouts, prepares: Bool?) {
    self.timeouts = timeouts
    if let prepares { course.prepares = prepares }
  }

  var ageEnd: MonotonicTime? { timeouts.age == .zero ? nil : began + timeouts.age }

  /// It has a verdict, and the upstream may be reached or is about to be.
  package var isAllowed: Bool {
    switch state {
    case .recording, .connecting, .preparing, .relaying: true
    case .negotiating, .handshaking, .introducing, .judging, .lingering, .closed: false
    }
  }

  /// Nobody knows who the client is: before its handshake, and while one that failed hears why.
  package var isUnauthenticated: Bool {
    switch state {
    case .negotiating, .handshaking: true
    case .lingering: !hasPassed
    case .introducing, .judging, .recording, .connecting, .preparing, .relaying, .closed: false
    }
  }

  /// When ``Event/deadline`` is due next, unless bytes move before.
  package var deadline: MonotonicTime? {
    switch state {
    case .negotiating, .handshaking, .introducing, .judging, .lingering: return stateEnd
    case .recording: return Self.earlier(stateEnd, reviewTime)
    case .connecting, .preparing: return Self.earlier(Self.earlier(nextAttempt, stateEnd), reviewTime)
    case .relaying:
      return Self.earlier(Self.earlier(lastMoved + timeouts.idle, ageEnd), reviewTime)
    case .closed: return nil
    }
  }

  /// Asked after every event, so no list is made of them.
  private static func earlier(_ one: MonotonicTime?, _ other: MonotonicTime?) -> MonotonicTime? {
    guard let one, let other else { return one ?? other }
    return min(one, other)
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
    /// How long one address may keep silent before the next is dialled beside it: the Connection Attempt
    /// Delay that RFC 8305 section 5 recommends.
    package var attempt: Duration

    package init(
      handshake: Duration, connect: Duration, idle: Duration, age: Duration, linger: Duration = .seconds(2),
      attempt: Duration = .milliseconds(250)
    ) {
      self.handshake = handshake
      self.connect = connect
      self.idle = idle
      self.age = age
      self.linger = linger
      self.attempt = attempt
    }
  }

  /// Takes an event in and says what is to be done about it.
  package mutating func handle(_ event: Event, at now: MonotonicTime) -> Action {
    if event == .deadline, isAllowed, let time = reviewTime, time <= now {
      reviewTime = nil
      return .review
    }
    return switch state {
    case .negotiating: negotiating(event, now)
    case .handshaking: handshaking(event, now)
    case .introducing: introducing(event, now)
    case .judging: judging(event, now)
    case .recording: recording(event, now)
    case .connecting: connecting(event, now)
    case .preparing: preparing(event, now)
    case .relaying: relaying(event, now)
    case .lingering: lingering(event, now)
    case .closed: .none
    }
  }
}
