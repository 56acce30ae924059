import AccessPolicy

/// Reads addresses: `127.0.0.1:5432`, `[::]:6432`, `db.internal:5432`, `unix:/run/x.sock`, `systemd:NAME`.
struct SocketAddressReader {
  /// What an address may be, by where it stands.
  enum Role { case listener, upstream, admin }

  /// sockaddr_un.sun_path has 108 bytes, the last of them NUL: unix(7).
  static let longestUnixPath = 107

  let findings: Findings
  let role: Role

  private var expected: String {
    switch role {
    case .listener:
      "an IP address and a port, such as 0.0.0.0:6432 or \"[::]:6432\", or unix:PATH, or systemd:NAME"
    case .upstream: "an address and a port, such as 127.0.0.1:5432 or db.internal:5432, or unix:PATH"
    case .admin: "an IP address and a port, such as 127.0.0.1:9901, or unix:PATH"
    }
  }

  func read(_ node: YAMLNode) -> Located<SocketAddress>? {
    guard let text = findings.text(node, expected: expected) else { return nil }
    if text.value.hasPrefix("unix:") { return unix(text) }
    if text.value.hasPrefix("systemd:") { return systemd(text) }
    return internet(text)
  }

  private func internet(_ text: Located<String>) -> Located<SocketAddress>? {
    guard let colon = text.value.lastIndex(of: ":") else {
      let isPort = port(text.value[...]) != nil
      return wrong(text, hint: isPort ? "add the address, such as 127.0.0.1:\(text.value)" : "add the port")
    }
    let host = String(text.value[..<colon])
    guard let port = port(text.value[text.value.index(after: colon)...]) else {
      return wrong(text, hint: "a port is a number from 1 to 65535")
    }
    if host.hasPrefix("["), host.hasSuffix("]") {
      guard let address = IPAddress(String(host.dropFirst().dropLast())), address.family == .v6 else {
        return wrong(text, hint: "the brackets are for an IPv6 address, such as [::1]:\(port)")
      }
      return Located(.ip(address, port: port), at: text.location)
    }
    if host.contains(":") {
      // `::1:6432` is an address too, so which part would be the port is anyone's guess.
      return wrong(text, hint: "write an IPv6 address in brackets, the port behind them: \"[::1]:6432\"")
    }
    if let address = IPAddress(host) { return Located(.ip(address, port: port), at: text.location) }
    return name(host, port: port, text)
  }

  private func name(_ host: String, port: UInt16, _ text: Located<String>) -> Located<SocketAddress>? {
    if host.isEmpty { return wrong(text, hint: "name the address: 0.0.0.0:\(port) is every IPv4 address") }
    guard HostName.isValid(host) else {
      return wrong(text, hint: "\(Wording.quote(host)) is neither an IP address nor a DNS name")
    }
    guard role == .upstream else {
      return wrong(text, hint: "a DNS name may change under a running gateway; write the IP address")
    }
    return Located(.name(host, port: port), at: text.location)
  }

  private func unix(_ text: Located<String>) -> Located<SocketAddress>? {
    let written = String(text.value.dropFirst("unix:".count))
    if written.hasPrefix("@") {
      // Whoever is on the machine may connect to one, and whoever comes first may have the name: unix(7).
      return wrong(text, hint: "an abstract socket has no file, and so no owner and no mode; write a path")
    }
    guard !written.isEmpty else {
      return wrong(text, hint: "write a path behind unix:, such as unix:/run/app.sock")
    }
    let path = Paths.resolve(written, besides: findings.file)
    guard path.utf8.count <= Self.longestUnixPath else {
      findings.error(
        at: text.location, "out-of-range",
        "the path of the Unix socket has \(path.utf8.count) bytes, expected at most \(Self.longestUnixPath)",
        hint: "the kernel's limit (unix(7)); choose a shorter path")
      return nil
    }
    return Located(.unix(path), at: text.location)
  }

  private func systemd(_ text: Located<String>) -> Located<SocketAddress>? {
    guard role == .listener else { return wrong(text, hint: "systemd: is for listeners only") }
    let name = String(text.value.dropFirst("systemd:".count))
    // systemd.socket(5), FileDescriptorName=: printable ASCII without a colon, at most 255 characters.
    guard (1...255).contains(name.utf8.count),
      name.utf8.allSatisfy({ (0x20...0x7E).contains($0) && $0 != UInt8(ascii: ":") })
    else { return wrong(text, hint: "write the socket's FileDescriptorName= behind systemd:") }
    return Located(.systemd(name), at: text.location)
  }

  private func port(_ text: Substring) -> UInt16? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return UInt16(text).flatMap { $0 == 0 ? nil : $0 }
  }

  private func wrong(_ text: Located<String>, hint: String) -> Located<SocketAddress>? {
    findings.error(
      at: text.location, "invalid-value", "found \(Wording.quote(text.value)), expected \(expected)",
      hint: hint)
    return nil
  }
}

/// DNS names as text.
enum HostName {
  /// Letters, digits, hyphens and underscores in labels of 1 to 63 bytes, 253 bytes in all (RFC 1035
  /// §2.3.4). A last label that reads as a number is refused: `10.0.0.256` is a mistyped address, and
  /// resolvers disagree about `0x7f.1`.
  static func isValid(_ name: String) -> Bool {
    guard (1...253).contains(name.utf8.count) else { return false }
    let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard labels.allSatisfy(isLabel), let last = labels.last else { return false }
    let digits = last.allSatisfy { (0x30...0x39).contains($0) }
    let hexadecimal = last.starts(with: "0x".utf8) || last.starts(with: "0X".utf8)
    return !digits && !hexadecimal
  }

  private static func isLabel(_ label: Substring.UTF8View) -> Bool {
    guard (1...63).contains(label.count), label.first != UInt8(ascii: "-"), label.last != UInt8(ascii: "-")
    else { return false }
    return label.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
  }
}
