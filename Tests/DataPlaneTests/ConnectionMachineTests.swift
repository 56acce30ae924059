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
    case .handshaking: []
    case .judging: [.handshakeCompleted]
    case .recording: [.handshakeCompleted, .judged(.allow)]
    case .connecting: [.handshakeCompleted, .judged(.allow), .recordAccepted]
    case .relaying: [.handshakeCompleted, .judged(.allow), .recordAccepted, .upstreamConnected]
    case .lingering: [.handshakeCompleted, .judged(.deny)]
    case .closed: [.evicted]
    }
  }

  static func machine(in state: Machine.State) -> Machine {
    var machine = Machine(timeouts: timeouts, now: start)
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
    Step(from: .handshaking, event: .handshakeCompleted, action: .judge, to: .judging),
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
    Step(from: .connecting, event: .upstreamConnected, action: .startRelay, to: .relaying),
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
    (.handshaking, .judged(.allow)), (.handshaking, .recordAccepted), (.handshaking, .upstreamConnected),
    (.handshaking, .moved), (.judging, .handshakeCompleted), (.judging, .recordAccepted),
    (.judging, .upstreamConnected), (.judging, .deadline), (.recording, .judged(.allow)),
    (.recording, .upstreamConnected), (.recording, .moved), (.connecting, .recordAccepted),
    (.connecting, .moved), (.relaying, .handshakeCompleted), (.relaying, .judged(.allow)),
    (.relaying, .recordAccepted), (.relaying, .upstreamConnected), (.relaying, .evicted),
    (.lingering, .upstreamConnected), (.lingering, .judged(.allow)),
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
    var machine = Machine(timeouts: Self.timeouts, now: Self.start)
    var actions: [Action] = []
    for event in Self.path(to: .relaying) { actions.append(machine.handle(event, at: Self.start)) }
    #expect(actions == [.judge, .recordVerdict, .dial, .startRelay])
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
    _ = machine.handle(.recordAccepted, at: Self.start)
    _ = machine.handle(.upstreamConnected, at: Self.start)
    _ = machine.handle(.moved, at: MonotonicTime(nanoseconds: end.nanoseconds - 1))
    #expect(machine.deadline == end)
    let action = machine.handle(.deadline, at: end)
    #expect(action == .recordExpiry)
    #expect(machine.state == .lingering)
  }
}
