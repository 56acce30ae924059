import AccessPolicy
import DataPlane
import EventLoop
import GatewayConfiguration

extension ListenAddress {
  /// The address of a listener, with its users and groups looked up on this machine.
  /// - Returns: nil where a finding says why.
  static func configured(_ listener: Listener, _ findings: inout [Diagnostic]) -> ListenAddress? {
    switch listener.address.value {
    case .ip(let ip, let port): return .opened(NetworkAddress(ip: ip, port: port), UnixSocketAccess())
    case .systemd(let name): return .handedOver(name)
    case .unix(let path):
      let before = findings.count
      let file = listener.socketFile
      let access = UnixSocketAccess(
        mode: file.mode, user: number(of: file.user, "user", Accounts.user, &findings),
        group: number(of: file.group, "group", Accounts.group, &findings))
      return findings.count == before ? .opened(.unix(path), access) : nil
    case .name:
      // The reader of configurations refuses a name to listen on.
      findings.append(
        Diagnostic(
          .error, at: listener.address.location, code: "invalid-value",
          message: "a listener needs an IP address and a port, found \(listener.address.value)"))
      return nil
    }
  }

  private static func number(
    of text: Located<String>?, _ kind: String, _ find: (String) -> UInt32?, _ findings: inout [Diagnostic]
  ) -> UInt32? {
    guard let text else { return nil }
    if let number = find(text.value) { return number }
    findings.append(
      Diagnostic(
        .error, at: text.location, code: "unknown-\(kind)",
        message: "this machine has no \(kind) '\(text.value)'", hint: "create it, or write its number"))
    return nil
  }
}
