import AccessPolicy
import DataPlane
import EventLoop
import GatewayConfiguration
import Testing

@testable import ControlPlane

/// Users and groups of a Unix listener, as this machine knows them.
struct ListenAddressTests {
  private func configured(
    user: String? = nil, group: String? = nil
  ) -> (address: ListenAddress?, findings: [Diagnostic]) {
    let place = SourceLocation(file: "c.yaml", line: 1, column: 1)
    let located: (String) -> Located<String> = { Located($0, at: place) }
    let listener = Listener(
      name: located("front"), address: Located(.unix("/run/x.sock"), at: place),
      socketFile: SocketFile(mode: 0o660, user: user.map(located), group: group.map(located)),
      tls: ServerTLS(
        identity: IdentityFiles(source: .pem(certificates: [located("a")], privateKeys: [located("b")])),
        clientCA: [ClientCAFile(file: located("c"))]),
      upstream: located("back"), limits: Limits())
    var findings: [Diagnostic] = []
    return (ListenAddress.configured(listener, &findings), findings)
  }

  @Test func namesAndNumbersAreLookedUp() {
    let expected = UnixSocketAccess(mode: 0o660, user: 0, group: 0)
    #expect(configured(user: "root", group: "root").address == .opened(.unix("/run/x.sock"), expected))
    #expect(configured(user: "0", group: "0").address == .opened(.unix("/run/x.sock"), expected))
    let number = UnixSocketAccess(mode: 0o660, user: 54_321, group: nil)
    #expect(configured(user: "54321").address == .opened(.unix("/run/x.sock"), number))
  }

  /// 2^32-1 is chown(2)'s word for "leave it".
  @Test(arguments: ["no-such-account", "4294967295", "-1", "99999999999"])
  func anAccountThatIsNotThereIsAFinding(_ name: String) {
    let (address, findings) = configured(user: name, group: name)
    #expect(address == nil)
    #expect(findings.map(\.code) == ["unknown-user", "unknown-group"])
    #expect(findings.first?.message == "this machine has no user '\(name)'")
  }
}
