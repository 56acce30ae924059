import AccessPolicy
import DataPlane
import EventLoop
import Testing

/// The life of a connection, pair by pair of state and event.
struct ConnectionMachineTests {
  typealias Machine = ConnectionMachine
  typealias Event = ConnectionMachine.Event
  typealias Action = ConnectionMachine.Action

  static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)
  static let timeouts = Machine.Timeouts(
    handshake: .seconds(10), connect: .seconds(5), idle: .seconds(60), age: .seconds(3600),
    linger: .seconds(2))

  /// Events that lead from the beginning into each state.
  static func path(to state: Machine.State) -> [Event] {
    switch state {
    case .negotiating: []
    case .handshaking: [.negotiated]
    case .introducing: [.negotiated, .handshakeCompleted]
    case .judging: [.negotiated, .handshakeCompleted, .introduced]
    case .recording: path(to: .judging) + [.judged(.allow)]
    case .connecting: path(to: .recording) + [.recordAccepted]
    case .preparing: path(to: .connecting) + [.upstreamConnected]
    case .relaying: path(to: .preparing) + [.upstreamPrepared]
    case .lingering: path(to: .judging) + [.judged(.deny)]
    case .closed: [.evicted]
    }
  }

  /// Every stage that there is.
  static let longest = Machine.Course(negotiates: true, introduces: true, prepares: true)

  static func machine(in state: Machine.State) -> Machine {
    var machine = Machine(course: longest, timeouts: timeouts, now: start)
    for event in path(to: state) { _ = machine.handle(event, at: start) }
    return machine
  }

  @Test(arguments: Machine.State.allCases)
  func everyStateCanBeReached(_ state: Machine.State) {
    let machine = Self.machine(in: state)
    #expect(machine.state == state)
  }

  struct Step: Sendable, CustomTestStringConvertible {
    let from: Machine.State
    let event: Event
    let action: Action
    let to: Machine.State
    var testDescription: String { "\(from) + \(event)" }
  }

  static let steps: [Step] = [
    Step(from: .negotiating, event: .negotiated, action: .startTLS, to: .handshaking),
    Step(from: .negotiating, event: .cancelRequested, action: .judge, to: .judging),
    Step(
      from: .negotiating, event: .handshakeFailed(.proxyHeader),
      action: .recordHandshakeFailure(.proxyHeader), to: .lingering),
    Step(from: .negotiating, event: .evicted, action: .recordEviction, to: .closed),
    Step(from: .negotiating, event: .overLimit, action: .recordLimit, to: .closed),
    Step(from: .judging, event: .overLimit, action: .recordLimit, to: .lingering),
    Step(
      from: .negotiating, event: .clientLost, action: .recordHandshakeFailure(.clientClosed), to: .closed),
    Step(from: .negotiating, event: .drained, action: .recordHandshakeFailure(.timeout), to: .closed),
    Step(from: .handshaking, event: .handshakeCompleted, action: .introduce, to: .introducing),
    Step(from: .introducing, event: .introduced, action: .judge, to: .judging),
    Step(
      from: .introducing, event: .handshakeFailed(.negotiation),
      action: .recordHandshakeFailure(.negotiation), to: .lingering),
    Step(
      from: .introducing, event: .clientLost, action: .recordHandshakeFailure(.clientClosed), to: .closed),
    Step(from: .introducing, event: .drained, action: .recordHandshakeFailure(.timeout), to: .lingering),
    Step(
      from: .handshaking, event: .handshakeFailed(.certificateExpired),
      action: .recordHandshakeFailure(.certificateExpired), to: .lingering),
    Step(from: .handshaking, event: .evicted, action: .recordEviction, to: .closed),
    Step(
      from: .handshaking, event: .clientLost, action: .recordHandshakeFailure(.clientClosed), to: .closed),
    Step(from: .handshaking, event: .drained, action: .recordHandshakeFailure(.timeout), to: .closed),
    Step(from: .judging, event: .judged(.allow), action: .recordVerdict, to: .recording),
    Step(from: .judging, event: .judged(.deny), action: .recordDenial, to: .lingering),
    Step(from: .recording, event: .recordAccepted, action: .dial, to: .connecting),
    Step(from: .recording, event: .recordRefused, action: .refuseUnrecorded, to: .lingering),
    Step(
      from: .recording, event: .clientLost, action: .recordClose(.clientReset, reset: true), to: .closed),
    Step(from: .connecting, event: .dialled(hasNext: true), action: .none, to: .connecting),
    Step(from: .connecting, event: .dialled(hasNext: false), action: .none, to: .connecting),
    Step(from: .connecting, event: .upstreamConnected, action: .prepare, to: .preparing),
    Step(from: .preparing, event: .upstreamPrepared, action: .startRelay, to: .relaying),
    Step(from: .preparing, event: .upstreamLost, action: .dialNext, to: .connecting),
    Step(
      from: .preparing, event: .upstreamFailed(.upstreamTLS),
      action: .recordUpstreamFailure(.upstreamTLS), to: .lingering),
    Step(
      from: .preparing, event: .clientLost, action: .recordClose(.clientReset, reset: true), to: .closed),
    Step(from: .preparing, event: .drained, action: .recordClose(.drain, reset: false), to: .lingering),
    Step(from: .preparing, event: .authenticating, action: .none, to: .preparing),
    Step(
      from: .preparing, event: .relayEnded(.clientClosed, reset: false),
      action: .recordClose(.clientClosed, reset: false), to: .lingering),
    Step(
      from: .preparing, event: .relayEnded(.upstreamReset, reset: true),
      action: .recordClose(.upstreamReset, reset: true), to: .closed),
    Step(from: .relaying, event: .userChanged, action: .reauthenticate, to: .preparing),
    Step(from: .relaying, event: .userChangeDenied, action: .recordUserChangeDenied, to: .lingering),
    Step(from: .relaying, event: .recordRefused, action: .refuseUnrecorded, to: .lingering),
    Step(
      from: .connecting, event: .upstreamFailed(.upstreamUnreachable),
      action: .recordUpstreamFailure(.upstreamUnreachable), to: .lingering),
    Step(
      from: .connecting, event: .clientLost, action: .recordClose(.clientReset, reset: true), to: .closed),
    Step(
      from: .connecting, event: .drained, action: .recordClose(.drain, reset: false), to: .lingering),
    Step(from: .relaying, event: .moved, action: .none, to: .relaying),
    Step(
      from: .relaying, event: .relayEnded(.upstreamClosed, reset: false),
      action: .recordClose(.upstreamClosed, reset: false), to: .lingering),
    Step(
      from: .relaying, event: .relayEnded(.clientReset, reset: true),
      action: .recordClose(.clientReset, reset: true), to: .closed),
    Step(
      from: .relaying, event: .upstreamFailed(.upstreamTLS),
      action: .recordUpstreamFailure(.upstreamTLS), to: .lingering),
    Step(from: .relaying, event: .drained, action: .recordClose(.drain, reset: false), to: .lingering),
    Step(
      from: .judging, event: .handshakeFailed(.certificateUntrusted),
      action: .recordHandshakeFailure(.certificateUntrusted), to: .lingering),
    Step(from: .recording, event: .revoked, action: .recordRevocation, to: .lingering),
    Step(from: .connecting, event: .revoked, action: .recordRevocation, to: .lingering),
    Step(from: .preparing, event: .revoked, action: .recordRevocation, to: .lingering),
    Step(from: .relaying, event: .revoked, action: .recordRevocation, to: .lingering),
    Step(from: .lingering, event: .lingered, action: .close, to: .closed),
    Step(from: .lingering, event: .recordAccepted, action: .none, to: .lingering),
    Step(from: .closed, event: .recordAccepted, action: .none, to: .closed),
    Step(from: .closed, event: .deadline, action: .none, to: .closed),
  ]

  @Test(arguments: steps)
  func legalPairsLeadOn(_ step: Step) {
    var machine = Self.machine(in: step.from)
    let action = machine.handle(step.event, at: Self.start)
    #expect(action == step.action)
    #expect(machine.state == step.to)
  }

  static let illegal: [(Machine.State, Event)] = [
    (.negotiating, .handshakeCompleted), (.negotiating, .introduced), (.negotiating, .judged(.allow)),
    (.negotiating, .recordAccepted), (.negotiating, .upstreamConnected), (.handshaking, .introduced),
    (.handshaking, .cancelRequested), (.introducing, .judged(.allow)), (.introducing, .evicted),
    (.introducing, .recordAccepted), (.introducing, .upstreamConnected), (.introducing, .cancelRequested),
    (.connecting, .upstreamPrepared), (.preparing, .upstreamConnected), (.preparing, .moved),
    (.handshaking, .judged(.allow)), (.handshaking, .recordAccepted), (.handshaking, .upstreamConnected),
    (.handshaking, .moved), (.judging, .handshakeCompleted), (.judging, .recordAccepted),
    (.judging, .upstreamConnected), (.judging, .deadline), (.recording, .judged(.allow)),
    (.recording, .upstreamConnected), (.recording, .moved), (.connecting, .recordAccepted),
    (.connecting, .moved), (.relaying, .handshakeCompleted), (.relaying, .judged(.allow)),
    (.relaying, .recordAccepted), (.relaying, .upstreamConnected), (.relaying, .evicted),
    (.negotiating, .dialled(hasNext: true)), (.handshaking, .dialled(hasNext: true)),
    (.introducing, .dialled(hasNext: true)), (.judging, .dialled(hasNext: true)),
    (.recording, .dialled(hasNext: true)), (.preparing, .dialled(hasNext: true)),
    (.relaying, .dialled(hasNext: true)), (.lingering, .dialled(hasNext: true)),
    (.lingering, .upstreamConnected), (.lingering, .judged(.allow)), (.negotiating, .authenticating),
    (.handshaking, .userChanged), (.introducing, .userChanged), (.introducing, .authenticating),
    (.recording, .userChanged), (.recording, .authenticating), (.recording, .userChangeDenied),
    (.connecting, .authenticating), (.connecting, .userChanged), (.preparing, .userChanged),
    (.preparing, .userChangeDenied), (.preparing, .recordRefused), (.relaying, .authenticating),
    (.negotiating, .revoked), (.handshaking, .revoked), (.introducing, .revoked), (.judging, .revoked),
    (.lingering, .revoked), (.lingering, .userChanged), (.lingering, .userChangeDenied),
    (.lingering, .authenticating), (.handshaking, .overLimit), (.introducing, .overLimit),
    (.recording, .overLimit), (.connecting, .overLimit), (.preparing, .overLimit), (.relaying, .overLimit),
    (.lingering, .overLimit),
  ]

  /// Above all: no way to the upstream that leaves the verdict or its record out.
  @Test(arguments: illegal)
  func illegalPairsCloseThatConnection(_ state: Machine.State, _ event: Event) {
    var machine = Self.machine(in: state)
    let action = machine.handle(event, at: Self.start)
    #expect(action == .recordClose(.internal, reset: true))
    #expect(machine.state == .closed)
  }

  /// Whoever failed in the handshake makes room while it hears why; whoever passed it does not.
  @Test func aClientThatFailedCanBeEvictedUntilItIsGone() {
    var machine = Machine(timeouts: Self.timeouts, now: Self.start)
    _ = machine.handle(.handshakeFailed(.tlsProtocol), at: Self.start)
    let counts = machine.isUnauthenticated
    #expect(counts)
    let action = machine.handle(.evicted, at: Self.start)
    #expect(action == .close)
    let denied = Self.machine(in: .lingering).isUnauthenticated
    #expect(!denied)
  }

  @Test func theUpstreamIsDialledOnlyAfterVerdictAndRecord() {
    var machine = Machine(course: Self.longest, timeouts: Self.timeouts, now: Self.start)
    var actions: [Action] = []
    for event in Self.path(to: .relaying) { actions.append(machine.handle(event, at: Self.start)) }
    #expect(actions == [.startTLS, .introduce, .judge, .recordVerdict, .dial, .prepare, .startRelay])
  }

  @Test func aPlainCourseLeavesOutWhatItDoesNotNeed() {
    var machine = Machine(timeouts: Self.timeouts, now: Self.start)
    let events: [Event] = [.handshakeCompleted, .judged(.allow), .recordAccepted, .upstreamConnected]
    var actions: [Action] = []
    for event in events { actions.append(machine.handle(event, at: Self.start)) }
    #expect(actions == [.judge, .recordVerdict, .dial, .startRelay])
  }
}
