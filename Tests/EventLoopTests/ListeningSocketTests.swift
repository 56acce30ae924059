import EventLoop
import Glibc
import Testing

@Suite struct ListeningSocketTests {
  @Test func aUsedPortSaysSo() throws {
    let first = try ListeningSocket.listen(on: anyLoopbackPort, backlog: 1, reusePort: false)
    let taken = first.localAddress()
    let error = refusal(try #require(taken))
    first.close()
    #expect(error?.description == "bind: Address already in use (EADDRINUSE)")
  }

  @Test func workersShareAPortAndAStrangerIsNoticed() throws {
    let first = try ListeningSocket.listen(on: anyLoopbackPort, backlog: 1, reusePort: true)
    let bound = first.localAddress()
    let taken = try #require(bound)
    let second = try ListeningSocket.listen(on: taken, backlog: 1, reusePort: true)
    #expect(throws: SystemError(call: "bind", code: EADDRINUSE)) {
      try ListeningSocket.checkUnused(taken)
    }
    first.close()
    second.close()
    #expect(throws: Never.self) { try ListeningSocket.checkUnused(taken) }
  }

  @Test func nobodyWaiting() throws {
    let listener = try ListeningSocket.listen(on: anyLoopbackPort, backlog: 1, reusePort: false)
    let name = caseName(listener.accept())
    listener.close()
    #expect(name == "wouldBlock")
  }

  @Test(.enabled(if: hasIPv6))
  func theIPv6WildcardTakesIPv4AndNamesItAsSuch() throws {
    let listener = try ListeningSocket.listen(on: .v6(0, port: 0, scope: 0), backlog: 4, reusePort: false)
    let port = listener.localAddress()?.port ?? 0
    let pair = try connect(to: anyLoopbackPort.withPort(port), listener)
    let (seen, local) = (pair.clientSeenAs, pair.server.localAddress())
    pair.close()
    listener.close()
    #expect(seen.withPort(0) == anyLoopbackPort)
    #expect(local == anyLoopbackPort.withPort(port))
  }

  @Test(.enabled(if: hasIPv6))
  func anotherIPv6AddressIsIPv6Alone() throws {
    let listener = try ListeningSocket.listen(on: .v6(1, port: 0, scope: 0), backlog: 4, reusePort: false)
    let only = option(listener.number, Int32(IPPROTO_IPV6), IPV6_V6ONLY)
    listener.close()
    #expect(only == 1)
  }

  @Test func theFileOfADeadListenerIsReplaced() throws {
    try withTemporaryFolder { folder in
      let address = NetworkAddress.unix(folder + "/socket")
      try ListeningSocket.listen(on: address, backlog: 1, reusePort: false).close()
      #expect(refusal(address) == nil)
    }
  }

  @Test func aLiveUnixListenerIsNotReplaced() throws {
    try withTemporaryFolder { folder in
      let address = NetworkAddress.unix(folder + "/socket")
      let first = try ListeningSocket.listen(on: address, backlog: 4, reusePort: false)
      let error = refusal(address)
      let pair = try connect(to: address, first)
      pair.close()
      first.close()
      #expect(error == SystemError(call: "bind", code: EADDRINUSE))
    }
  }

  @Test func aFileThatIsNoSocketIsNeverRemoved() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/file"
      let number = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
      #expect(number >= 0)
      #expect(close(number) == 0)
      #expect(refusal(.unix(path)) == SystemError(call: "bind", code: EADDRINUSE))
      #expect(unsafe access(path, F_OK) == 0)
    }
  }

  @Test func aDuplicateTakesFromTheSameQueue() throws {
    let listener = try ListeningSocket.listen(on: anyLoopbackPort, backlog: 4, reusePort: false)
    let copy = try listener.duplicate()
    let bound = listener.localAddress()
    let target = try #require(bound)
    let flags = fcntl(copy.number, F_GETFD) & FD_CLOEXEC
    listener.close()
    let pair = try connect(to: target, copy)
    pair.close()
    copy.close()
    #expect(flags == FD_CLOEXEC)
  }

  @Test func aSocketThatWasHandedOverBecomesNonBlocking() throws {
    let original = try ListeningSocket.listen(on: anyLoopbackPort, backlog: 4, reusePort: false)
    let number = dup(original.number)  // without CLOEXEC, as a service manager hands it over
    #expect(fcntl(number, F_SETFL, 0) == 0)
    original.close()
    let adopted = try ListeningSocket.adopt(Descriptor(adopting: number))
    let status = fcntl(adopted.number, F_GETFL) & O_NONBLOCK
    let flags = fcntl(adopted.number, F_GETFD) & FD_CLOEXEC
    let name = caseName(adopted.accept())
    adopted.close()
    #expect(status == O_NONBLOCK)
    #expect(flags == FD_CLOEXEC)
    #expect(name == "wouldBlock")
  }

  /// Why listening is refused; nil when it is not.
  private func refusal(_ address: NetworkAddress) -> SystemError? {
    do throws(SystemError) {
      try ListeningSocket.listen(on: address, backlog: 1, reusePort: false).close()
      return nil
    } catch {
      return error
    }
  }
}

/// The case, and the accepted socket closed.
func caseName(_ step: consuming AcceptStep) -> String {
  switch consume step {
  case .accepted(let socket, from: _):
    socket.close()
    return "accepted"
  case .wouldBlock: return "wouldBlock"
  case .retry: return "retry"
  case .exhausted(let error): return "exhausted \(error.name)"
  case .failed(let error): return "failed \(error.name)"
  }
}
