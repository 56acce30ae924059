import EventLoop
import Glibc
import Testing

@testable import ControlPlane

/// Sockets of a service manager: which are taken, and what is said of the others.
struct HandedOverSocketsTests {
  /// Listening sockets at descriptors that follow each other, far above those that other tests open.
  private func withSockets<Result>(
    _ count: Int32, _ base: Int32, _ body: () throws -> Result
  ) throws -> Result {
    for index in 0..<count {
      let socket = try ListeningSocket.listen(on: .v4(0x7f00_0001, port: 0), backlog: 1, reusePort: false)
      let copy = dup2(socket.number, base + index)
      socket.close()
      try #require(copy == base + index)
    }
    defer { for index in 0..<count { close(base + index) } }
    return try body()
  }

  private func problem(_ count: String, _ names: String?, _ first: Int32 = 3) -> String? {
    do {
      _ = try HandedOverSockets(count: count, names: names, first: first)
      return nil
    } catch {
      return error.description
    }
  }

  @Test func severalHaveOneName() throws {
    try withSockets(3, 700) {
      let sockets = try HandedOverSockets(count: "3", names: "web:db:web", first: 700)
      #expect(try sockets.numbers(named: "web") == [700, 702])
      #expect(try sockets.numbers(named: "db") == [701])
      for number in Int32(700)..<703 { #expect(fcntl(number, F_GETFD) & FD_CLOEXEC == FD_CLOEXEC) }
    }
  }

  @Test func withoutNamesTheyAreUnknown() throws {
    try withSockets(1, 710) {
      let sockets = try HandedOverSockets(count: "1", names: nil, first: 710)
      #expect(try sockets.numbers(named: "unknown") == [710])
    }
  }

  @Test func aNameThatIsNotThereSaysWhichAre() throws {
    try withSockets(2, 720) {
      let sockets = try HandedOverSockets(count: "2", names: "web:db", first: 720)
      let error = #expect(throws: HandedOverSockets.Problem.self) { try sockets.numbers(named: "dv") }
      #expect(
        error?.description == "no socket 'dv' was handed over, only 'db', 'web': "
          + "set FileDescriptorName=dv in the socket unit")
    }
    let error = #expect(throws: HandedOverSockets.Problem.self) {
      try HandedOverSockets.none.numbers(named: "web")
    }
    #expect(
      error?.description == "no socket was handed over (LISTEN_FDS is not set): "
        + "start countersign by a socket unit, or write an address")
  }

  @Test func whatNoListenerNamesIsWarnedOf() throws {
    try withSockets(3, 730) {
      let sockets = try HandedOverSockets(count: "3", names: "web:db:web", first: 730)
      #expect(sockets.warning(unlessNamedBy: ["web", "db", "other"]) == nil)
      #expect(
        sockets.warning(unlessNamedBy: ["db"])
          == "nobody serves the socket(s) 'web' that the service manager handed over: "
          + "name them by listen: systemd:NAME, or take them out of the socket unit")
    }
    #expect(HandedOverSockets.none.warning(unlessNamedBy: []) == nil)
  }

  @Test(arguments: ["", "-1", "1025", "two", "1 ", "99999999999999999999"])
  func aCountThatIsNoneIsRefused(_ count: String) {
    #expect(
      problem(count, nil) == "LISTEN_FDS is '\(count)', expected how many sockets are handed over")
  }

  @Test func namesMustBeAsManyAsSockets() {
    #expect(problem("2", "web") == "LISTEN_FDNAMES has 1 name(s) for 2 socket(s)")
    #expect(problem("1", "web:db") == "LISTEN_FDNAMES has 2 name(s) for 1 socket(s)")
  }

  @Test func onlyListeningStreamsAreTaken() throws {
    #expect(
      problem("1", "web", 740) == "the socket 'web', handed over as descriptor 740, is not open")
    let file = unsafe open("/dev/null", O_RDONLY)
    try place(file, at: 741)
    #expect(problem("1", "web", 741) == "the socket 'web', handed over as descriptor 741, is no socket")
    try place(socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0), at: 742)
    #expect(
      problem("1", "web", 742)
        == "the socket 'web', handed over as descriptor 742, is no stream socket of TCP or Unix: "
        + "use ListenStream= in the socket unit")
    try place(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0), at: 743)
    #expect(
      problem("1", "web", 743) == "the socket 'web', handed over as descriptor 743, does not listen: "
        + "the socket unit must have Accept=no")
    for number in Int32(741)...743 { close(number) }
  }

  private func place(_ number: Int32, at place: Int32) throws {
    try #require(number >= 0 && dup2(number, place) == place)
    close(number)
  }
}
