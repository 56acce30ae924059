internal import AccessPolicy
internal import EventLoop

/// Version 1, the line for people: `PROXY TCP4 192.0.2.1 198.51.100.7 56324 443` (section 2.1).
enum ProxyHeaderV1 {
  static let firstByte = UInt8(ascii: "P")
  /// With its CR LF (section 2.1: "107 chars").
  private static let maxLength = 107
  private static let start: StaticString = "PROXY "

  static func parse(_ bytes: Span<UInt8>) -> WireStep<ProxyHeader> {
    switch bytes.startsLike(start) {
    case .different: return .invalid("a PROXY v1 header begins with 'PROXY' and one space")
    case .soFar: return .incomplete
    case .whole: break
    }
    var position = start.utf8CodeUnitCount
    while position < min(bytes.count, maxLength - 1), (0x20...0x7e).contains(bytes[position]) {
      position += 1
    }
    guard position < maxLength - 1 else {
      return .invalid("a PROXY v1 header has at most \(maxLength) bytes")
    }
    guard position < bytes.count else { return .incomplete }
    guard bytes[position] == 0x0d else {
      return .invalid("a PROXY v1 header holds the byte \(ProxyHeader.hexadecimal(bytes[position]))")
    }
    guard position + 1 < bytes.count else { return .incomplete }
    guard bytes[position + 1] == 0x0a else { return .invalid("a PROXY v1 header has CR without LF") }
    let line = String(decoding: bytes.copy(start.utf8CodeUnitCount..<position), as: UTF8.self)
    return read(line, length: position + 2)
  }

  /// - Parameter line: what stands between `PROXY ` and CR LF.
  private static func read(_ line: String, length: Int) -> WireStep<ProxyHeader> {
    let words = line.split(separator: " ", omittingEmptySubsequences: false)
    // "The receiver must ignore anything presented before the CRLF" behind UNKNOWN.
    if words.first == "UNKNOWN" { return .complete(ProxyHeader(version: .v1, claim: nil), length: length) }
    guard words.first == "TCP4" || words.first == "TCP6" else {
      return .invalid("a PROXY v1 header names TCP4, TCP6 or UNKNOWN")
    }
    guard words.count == 5 else {
      return .invalid("a PROXY v1 header has two addresses and two ports, with one space before each")
    }
    let isV6 = words[0] == "TCP6"
    guard let source = address(words[1], isV6), let destination = address(words[2], isV6) else {
      return .invalid("a PROXY v1 header has an address that is none of \(words[0])")
    }
    guard let sourcePort = port(words[3]), let destinationPort = port(words[4]) else {
      return .invalid("a PROXY v1 header has a port that is none: 0 to 65535 without leading zeros")
    }
    let claim = ProxyHeader.Claim(
      source: NetworkAddress(ip: source, port: sourcePort),
      destination: NetworkAddress(ip: destination, port: destinationPort))
    return .complete(ProxyHeader(version: .v1, claim: claim), length: length)
  }

  private static func address(_ word: Substring, _ isV6: Bool) -> IPAddress? {
    guard word.utf8.contains(UInt8(ascii: ":")) == isV6 else { return nil }
    return IPAddress(String(word))
  }

  private static func port(_ word: Substring) -> UInt16? {
    guard !word.isEmpty, word.utf8.allSatisfy({ (48...57).contains($0) }),
      word.utf8.count == 1 || word.utf8.first != 48
    else { return nil }
    return UInt16(word)
  }
}
