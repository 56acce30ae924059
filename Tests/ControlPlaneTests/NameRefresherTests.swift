import ControlPlane
import DataPlane
import EventLoop
import GatewayConfiguration
import Synchronization
import Testing

/// Names are resolved away from the workers, and anew when their addresses fail.
struct NameRefresherTests {
  private static let localhost = UpstreamAddresses.Name(name: "localhost", port: 5432)
  private static let nowhere = UpstreamAddresses.Name(name: "nowhere.invalid", port: 1)

  @Test func everyNameIsAskedForOnceAtTheStart() {
    let found = NameRefresher.resolveAll([Self.localhost, Self.nowhere])
    guard case .addresses(let addresses)? = found[Self.localhost] else {
      Issue.record("localhost did not resolve: \(found)")
      return
    }
    #expect(
      addresses.allSatisfy { $0.address.port == 5432 && $0.serverName == "localhost" } && !addresses.isEmpty)
    guard case .failed(let message)? = found[Self.nowhere] else {
      Issue.record("nowhere.invalid resolved: \(found)")
      return
    }
    #expect(message.contains("nowhere.invalid"))
  }

  @Test func aNameWhoseAddressesFailedIsAskedForAgainSoon() throws {
    let refresher = try NameRefresher(names: [Self.localhost])
    let delivered = Mutex<[UpstreamAddresses.Name]>([])
    let thread = try WorkerThread(name: "resolver") {
      try? refresher.run { name, _ in delivered.withLock { $0.append(name) } }
    }
    refresher.resolveSoon(Self.nowhere)
    refresher.resolveSoon(Self.localhost)
    let end = MonotonicTime.now() + .seconds(10)
    // Far sooner than the interval of 30 seconds.
    while delivered.withLock({ $0.isEmpty }), MonotonicTime.now() < end { continue }
    refresher.stop()
    thread.join()
    #expect(delivered.withLock { $0 } == [Self.localhost])
  }

  @Test func aFailedRefreshKeepsWhatWorked() {
    var addresses = UpstreamAddresses()
    let known = Resolution.addresses([
      UpstreamTarget(address: .v4(0x7f00_0001, port: 5432), serverName: "localhost")
    ])
    addresses.update(Self.localhost, to: known)
    addresses.update(Self.localhost, to: .failed("no answer"))
    #expect(addresses.candidates(for: [.name("localhost", port: 5432)]) == known)
  }
}
