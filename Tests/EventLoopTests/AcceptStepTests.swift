import Glibc
import Testing

@testable import EventLoop

@Suite struct AcceptStepTests {
  @Test(arguments: [
    (EAGAIN, "wouldBlock"),
    (ECONNABORTED, "retry"), (EPROTO, "retry"), (EPERM, "retry"), (ENETDOWN, "retry"),
    (ENOPROTOOPT, "retry"), (EHOSTDOWN, "retry"), (ENONET, "retry"), (EHOSTUNREACH, "retry"),
    (EOPNOTSUPP, "retry"), (ENETUNREACH, "retry"), (ETIMEDOUT, "retry"),
    (EMFILE, "exhausted EMFILE"), (ENFILE, "exhausted ENFILE"),
    (ENOBUFS, "exhausted ENOBUFS"), (ENOMEM, "exhausted ENOMEM"),
    (EINVAL, "failed EINVAL"), (ENOTSOCK, "failed ENOTSOCK"),
  ])
  func everyErrorOfAcceptHasItsPlace(_ code: Int32, _ expected: String) {
    #expect(caseName(.classified(code)) == expected)
  }

  /// In a child process: the limit holds for every thread.
  @Test func aFullDescriptorTableLeavesTheConnectionWaiting() async {
    await #expect(processExitsWith: .success) {
      let listener = try ListeningSocket.listen(on: anyLoopbackPort, backlog: 4, reusePort: false)
      guard let target = listener.localAddress() else { exit(2) }
      let client = try StreamSocket.connect(to: target)
      guard readiness(of: listener.number).contains(.readable) else { exit(3) }
      var limit = rlimit()
      guard unsafe getrlimit(Int32(RLIMIT_NOFILE.rawValue), &limit) == 0 else { exit(4) }
      // The kernel hands out the lowest free number, so below this limit none is left.
      let free = dup(client.number)
      close(free)
      limit.rlim_cur = rlim_t(free)
      guard unsafe setrlimit(Int32(RLIMIT_NOFILE.rawValue), &limit) == 0 else { exit(5) }
      guard caseName(listener.accept()) == "exhausted EMFILE" else { exit(6) }
      limit.rlim_cur = rlim_t(free + 8)
      guard unsafe setrlimit(Int32(RLIMIT_NOFILE.rawValue), &limit) == 0 else { exit(7) }
      guard caseName(listener.accept()) == "accepted" else { exit(8) }
      client.close()
      listener.close()
      exit(0)
    }
  }
}
