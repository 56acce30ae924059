import Glibc
import Testing

@testable import ControlPlane

/// What is meant for this process is not handed on to another. Each test has a process of its own, since the
/// environment is everybody's.
struct ProcessEnvironmentTests {
  @Test func whatASocketUnitSaysIsTaken() async {
    await #expect(processExitsWith: .success) {
      let names = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"]
      for name in names { unsafe setenv(name, name == "LISTEN_PID" ? "1" : "2", 1) }
      _ = try HandedOverSockets.take()
      for name in names where unsafe getenv(name) != nil { exit(1) }
    }
  }

  @Test func whatAServiceManagerSaysIsTaken() async {
    await #expect(processExitsWith: .success) {
      let names = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]
      for name in names { unsafe setenv(name, name == "NOTIFY_SOCKET" ? "@x" : "2000", 1) }
      let manager = ServiceManager.take()
      for name in names where unsafe getenv(name) != nil { exit(1) }
      // The watchdog is another process's.
      if manager.watchdogTimeout != nil { exit(2) }
    }
  }

  /// sd_listen_fds(3) and sd_watchdog_enabled(3) leave out what is not set.
  @Test func partsOfItAreNothing() async {
    await #expect(processExitsWith: .success) {
      unsafe setenv("LISTEN_PID", "\(getpid())", 1)
      unsafe setenv("NOTIFY_SOCKET", "@x", 1)
      unsafe setenv("WATCHDOG_USEC", "2000", 1)
      if try HandedOverSockets.take().warning(unlessNamedBy: []) != nil { exit(1) }
      if ServiceManager.take().watchdogTimeout != .milliseconds(2) { exit(2) }
    }
  }
}
