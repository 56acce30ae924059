import EventLoop
import Glibc
import Testing

@Suite struct ConnectTests {
  @Test func aPortWithoutAListenerRefuses() throws {
    let listener = try ListeningSocket.listen(on: anyLoopbackPort, backlog: 1, reusePort: false)
    let bound = listener.localAddress()
    let target = try #require(bound)
    listener.close()
    #expect(outcome(of: target) == SystemError(call: "connect", code: ECONNREFUSED))
  }

  @Test func aUnixPathThatDoesNotExist() {
    #expect(outcome(of: .unix("/nonexistent/socket"))?.code == ENOENT)
  }

  @Test func aUnixPathWhoseListenerDied() throws {
    try withTemporaryFolder { folder in
      let address = NetworkAddress.unix(folder + "/socket")
      try ListeningSocket.listen(on: address, backlog: 1, reusePort: false).close()
      #expect(outcome(of: address)?.description == "connect: Connection refused (ECONNREFUSED)")
    }
  }

  @Test(arguments: [
    (String(repeating: "a", count: 108), ENAMETOOLONG),
    (String(repeating: "a", count: 4_096), ENAMETOOLONG),
    ("", EINVAL),
    ("/tmp/a\0b", EINVAL),
  ])
  func aUnixPathThatTheKernelWouldCut(_ path: String, _ code: Int32) {
    #expect(outcome(of: .unix(path)) == SystemError(call: "connect", code: code))
  }

  @Test func theLongestUnixPathIsNotTooLong() {
    #expect(outcome(of: .unix(String(repeating: "a", count: 107)))?.code == ENOENT)
  }

  @Test func aUnixStreamCarriesBytes() throws {
    try withTemporaryFolder { folder in
      let address = NetworkAddress.unix(folder + "/socket")
      let listener = try ListeningSocket.listen(on: address, backlog: 4, reusePort: false)
      let pair: ConnectedPair
      do {
        pair = try connect(to: address, listener)
      } catch {
        listener.close()
        throw error
      }
      let (seen, local) = (pair.clientSeenAs, pair.server.localAddress())
      _ = pair.client.send(text: "over a path")
      let got = pair.server.receiveText()
      pair.close()
      listener.close()
      #expect(seen == .unix(""))
      #expect(local == address)
      #expect(got.text == "over a path")
    }
  }

  /// The error that connecting ends with, whenever the kernel says it; nil when it connects.
  private func outcome(of target: NetworkAddress) -> SystemError? {
    do throws(SystemError) {
      let socket = try StreamSocket.connect(to: target)
      _ = readiness(of: socket.number, [.writable, .error])
      let error = socket.connectError()
      socket.close()
      return error
    } catch {
      return error
    }
  }
}
