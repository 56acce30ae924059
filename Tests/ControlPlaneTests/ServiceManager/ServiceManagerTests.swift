import Synchronization
import Testing

@testable import ControlPlane

/// What is said where the service manager cannot be reached or is not understood.
struct ServiceManagerTests {
  /// - Returns: the manager, and what was complained of after it was told everything twice.
  private func complaints(address: String?, timeout: String? = nil) -> (ServiceManager, [String]) {
    let said = Mutex<[String]>([])
    let manager = ServiceManager(address: address, watchdogTimeout: timeout) { line in
      said.withLock { $0.append(line) }
    }
    for _ in 0..<2 {
      manager.ready(sockets: 1, workers: 2)
      manager.alive()
      manager.stopping(connections: 0)
    }
    return (manager, said.withLock { $0 })
  }

  @Test func withoutAManagerNothingIsSaid() {
    let (manager, said) = complaints(address: nil, timeout: "1000000")
    #expect(said == [])
    #expect(manager.watchdogTimeout == nil)
  }

  @Test func aManagerThatIsGoneIsSaidOnce() {
    #expect(
      complaints(address: "/nowhere/notify").1 == [
        "countersign: the service manager cannot be told how the gateway is: "
          + "sendto: No such file or directory (ENOENT)"
      ])
  }

  @Test(arguments: [
    ("vsock:2:9999", "NOTIFY_SOCKET is 'vsock:2:9999', expected a path or @ and a name"),
    ("", "NOTIFY_SOCKET is '', expected a path or @ and a name"),
    ("relative", "NOTIFY_SOCKET is 'relative', expected a path or @ and a name"),
    ("@", "NOTIFY_SOCKET is '@': sendto: Invalid argument (EINVAL)"),
  ])
  func anAddressThatIsNoneIsSaidOnce(_ address: String, _ problem: String) {
    let (manager, said) = complaints(address: address, timeout: "1000000")
    #expect(said == ["countersign: the service manager cannot be told how the gateway is: \(problem)"])
    #expect(manager.watchdogTimeout == nil)
  }

  @Test(arguments: ["", "0", "-5", "soon", "18446744073709551615"])
  func aTimeoutThatIsNoneIsSaid(_ timeout: String) {
    let said = Mutex<[String]>([])
    let manager = ServiceManager(address: "@countersign-test", watchdogTimeout: timeout) { line in
      said.withLock { $0.append(line) }
    }
    #expect(manager.watchdogTimeout == nil)
    #expect(said.withLock { $0 }.count == 1)
  }

  @Test func aTimeoutIsInMicroseconds() {
    let manager = ServiceManager(address: "@countersign-test", watchdogTimeout: "2500000") { _ in }
    #expect(manager.watchdogTimeout == .milliseconds(2500))
  }
}
