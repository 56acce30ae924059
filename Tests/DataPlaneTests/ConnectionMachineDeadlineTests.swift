import AccessPolicy
import DataPlane
import EventLoop
import Testing

/// The deadlines of a connection: each state has its end, and nothing puts off what it must not.
struct ConnectionMachineDeadlineTests {
  typealias Machine = ConnectionMachine
  typealias Event = ConnectionMachine.Event
  typealias Action = ConnectionMachine.Action

  static let start = ConnectionMachineTests.start
  static let timeouts = ConnectionMachineTests.timeouts
  static let longest = ConnectionMachineTests.longest

  static func path(to state: Machine.State) -> [Event] { ConnectionMachineTests.path(to: state) }
  static func machine(in state: Machine.State) -> Machine { ConnectionMachineTests.machine(in: state) }

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

  /// The client's packets have gone to this upstream: a client that is slow must not be taken to another one.
  @Test func noAddressIsGivenUpOnceTheClientAuthenticates() {
    var machine = Self.machine(in: .connecting)
    machine.hasSpareAddress = true
    _ = machine.handle(.upstreamConnected, at: Self.start + .seconds(1))
    _ = machine.handle(.authenticating, at: Self.start + .seconds(2))
    #expect(machine.deadline == Self.start + .seconds(12))
    let action = machine.handle(.deadline, at: Self.start + .seconds(11))
    #expect(action == .none)
  }

  /// Nor does a client that proves itself slowly outlive its certificate.
  @Test(arguments: [Machine.State.connecting, .preparing])
  func noUpstreamIsWaitedForBehindTheEndOfTheCertificate(_ state: Machine.State) {
    var machine = Self.machine(in: state)
    let end = Self.start + .seconds(3)
    machine.review(at: end)
    #expect(machine.deadline == end)
    let action = machine.handle(.deadline, at: end)
    #expect(action == .review)
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
    machine.review(at: end)
    for event in [Event.recordAccepted, .upstreamConnected, .upstreamPrepared] {
      _ = machine.handle(event, at: Self.start)
    }
    _ = machine.handle(.moved, at: MonotonicTime(nanoseconds: end.nanoseconds - 1))
    #expect(machine.deadline == end)
    let action = machine.handle(.deadline, at: end)
    #expect(action == .review)
    let next = machine.handle(.revoked, at: end)
    #expect(next == .recordRevocation)
    #expect(machine.state == .lingering)
  }
}
