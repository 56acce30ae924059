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
    (.lingering, .userChanged), (.lingering, .userChangeDenied), (.lingering, .authenticating),
  ]

  /// Above all: no way to the upstream that leaves the verdict or its record out.
  @Test(arguments: illegal)
  func illegalPairsCloseThatConnection(_ state: Machine.State, _ event: Event) {
    var machine = Self.machine(in: state)
    let action = machine.handle(event, at: Self.start)
    #expect(action == .recordClose(.internal, reset: true))
    #expect(machine.state == .closed)
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

  /// Negotiation, handshake and first message share one deadline: no stage puts it off.
  @Test(arguments: [Machine.State.negotiating, .handshaking, .introducing])
  func whatComesBeforeTheVerdictHasOneDeadline(_ state: Machine.State) {
    var machine = Machine(course: Self.longest, timeouts: Self.timeouts, now: Self.start)
    for event in Self.path(to: state) { _ = machine.handle(event, at: Self.start + .seconds(9)) }
    let due = Self.start + .seconds(10)
    #expect(machine.deadline == due)
    let action = machine.handle(.deadline, at: due)
    #expect(action == .recordHandshakeFailure(.timeout))
  }

  /// All addresses, and what has to be said to each, share `connect_timeout`.
  @Test func anotherAddressDoesNotPutTheDeadlineOff() {
    var machine = Self.machine(in: .preparing)
    _ = machine.handle(.upstreamLost, at: Self.start + .seconds(4))
    #expect(machine.deadline == Self.start + .seconds(5))
    let action = machine.handle(.deadline, at: Self.start + .seconds(5))
    #expect(action == .recordUpstreamFailure(.upstreamTimeout))
  }

  /// While one address keeps silent, the next is dialled beside it, and the next beside both.
  @Test func aSilentAddressGetsCompanyAfterTheAttemptDelay() {
    var machine = Self.machine(in: .connecting)
    for round in 0..<3 {
      let begin = Self.start + .milliseconds(250 * round)
      _ = machine.handle(.dialled(hasNext: true), at: begin)
      #expect(machine.deadline == begin + .milliseconds(250))
      let early = machine.handle(.deadline, at: begin + .milliseconds(249))
      #expect(early == .none)
      let due = machine.handle(.deadline, at: begin + .milliseconds(250))
      #expect(due == .dialNext)
      #expect(machine.state == .connecting)
    }
  }

  @Test func theLastAddressHasTheRestOfTheTime() {
    var machine = Self.machine(in: .connecting)
    _ = machine.handle(.dialled(hasNext: true), at: Self.start)
    _ = machine.handle(.dialled(hasNext: false), at: Self.start + .milliseconds(250))
    #expect(machine.deadline == Self.start + .seconds(5))
  }

  @Test func noAddressIsDialledAfterTheConnectTimeout() {
    var machine = Self.machine(in: .connecting)
    _ = machine.handle(.dialled(hasNext: true), at: Self.start + .milliseconds(4900))
    #expect(machine.deadline == Self.start + .seconds(5))
    let action = machine.handle(.deadline, at: Self.start + .milliseconds(5200))
    #expect(action == .recordUpstreamFailure(.upstreamTimeout))
  }

  /// An address that takes the connection and then says nothing has half of what is left, if there is another.
  @Test func anAddressThatDoesNotGetReadyIsGivenUpForTheNext() {
    var machine = Self.machine(in: .connecting)
    machine.hasSpareAddress = true
    _ = machine.handle(.upstreamConnected, at: Self.start + .seconds(1))
    #expect(machine.deadline == Self.start + .seconds(3))
    let early = machine.handle(.deadline, at: Self.start + .milliseconds(2999))
    #expect(early == .none)
    let due = machine.handle(.deadline, at: Self.start + .seconds(3))
    #expect(due == .giveUpAddress)
    #expect(machine.deadline == Self.start + .seconds(5))
  }

  /// The client's part in the upstream's authentication has the bound of a handshake, counted from its begin.
  @Test func anAuthenticationHasADeadlineOfItsOwn() {
    var machine = Self.machine(in: .preparing)
    _ = machine.handle(.authenticating, at: Self.start + .seconds(4))
    #expect(machine.deadline == Self.start + .seconds(14))
    let action = machine.handle(.deadline, at: Self.start + .seconds(14))
    #expect(action == .recordUpstreamFailure(.upstreamTimeout))
  }

  @Test func aChangeOfTheUserHasADeadlineAndThenTheRelayGoesOn() {
    var machine = Self.machine(in: .relaying)
    _ = machine.handle(.userChanged, at: Self.start + .seconds(50))
    #expect(machine.deadline == Self.start + .seconds(60))
    let action = machine.handle(.upstreamPrepared, at: Self.start + .seconds(55))
    #expect(action == .startRelay)
    #expect(machine.deadline == Self.start + .seconds(115))
  }

  struct Deadline: Sendable, CustomTestStringConvertible {
    let state: Machine.State
    let after: Duration
    let action: Action
    var testDescription: String { "\(state) after \(after)" }
  }

  static let deadlines: [Deadline] = [
    Deadline(state: .handshaking, after: .seconds(10), action: .recordHandshakeFailure(.timeout)),
    Deadline(state: .recording, after: .seconds(10), action: .refuseUnrecorded),
    Deadline(state: .connecting, after: .seconds(5), action: .recordUpstreamFailure(.upstreamTimeout)),
    Deadline(state: .preparing, after: .seconds(5), action: .recordUpstreamFailure(.upstreamTimeout)),
    Deadline(state: .relaying, after: .seconds(60), action: .recordClose(.idleTimeout, reset: false)),
    Deadline(state: .lingering, after: .seconds(2), action: .close),
  ]

  @Test(arguments: deadlines)
  func eachStateEndsAtItsDeadlineAndNotBefore(_ row: Deadline) {
    var machine = Self.machine(in: row.state)
    let due = Self.start + row.after
    #expect(machine.deadline == due)
    let early = machine.handle(.deadline, at: MonotonicTime(nanoseconds: due.nanoseconds - 1))
    #expect(early == .none)
    #expect(machine.state == row.state)
    let late = machine.handle(.deadline, at: due)
    #expect(late == row.action)
  }

  @Test func movedBytesPutTheIdleDeadlineOff() {
    var machine = Self.machine(in: .relaying)
    _ = machine.handle(.moved, at: Self.start + .seconds(59))
    let action = machine.handle(.deadline, at: Self.start + .seconds(60))
    #expect(action == .none)
    #expect(machine.deadline == Self.start + .seconds(119))
  }

  @Test func noActivityOutlivesTheMaximumAge() {
    var machine = Self.machine(in: .relaying)
    let end = Self.start + .seconds(3600)
    _ = machine.handle(.moved, at: MonotonicTime(nanoseconds: end.nanoseconds - 1))
    #expect(machine.deadline == end)
    let action = machine.handle(.deadline, at: end)
    #expect(action == .recordClose(.maxAge, reset: false))
  }

  @Test func noActivityOutlivesTheCertificate() {
    var machine = Self.machine(in: .recording)
    let end = Self.start + .seconds(30)
    machine.certificateExpires(at: end)
    for event in [Event.recordAccepted, .upstreamConnected, .upstreamPrepared] {
      _ = machine.handle(event, at: Self.start)
    }
    _ = machine.handle(.moved, at: MonotonicTime(nanoseconds: end.nanoseconds - 1))
    #expect(machine.deadline == end)
    let action = machine.handle(.deadline, at: end)
    #expect(action == .recordExpiry)
    #expect(machine.state == .lingering)
  }
}
