extension IPAddress {
  /// Reads `192.0.2.1` (four decimal numbers, no leading zeros: some readers take these for octal) or an IPv6
  /// address in any form of RFC 4291 §2.2. Zones, brackets and ports are no part of an address.
  package init?(_ text: String) {
    if text.utf8.contains(UInt8(ascii: ":")) {
      guard let bits = Self.parseV6(text) else { return nil }
      self.init(v6: bits)
    } else {
      guard let bits = Self.parseV4(text[...]) else { return nil }
      self.init(v4: bits)
    }
  }

  /// The one canonical form: dotted decimal, or RFC 5952.
  package var text: String {
    switch family {
    case .v4: (0..<4).map { String(UInt8(truncatingIfNeeded: bits >> (24 - 8 * $0))) }.joined(separator: ".")
    case .v6: textV6
    }
  }

  private static func parseV4(_ text: Substring) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var bits: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
        part.utf8.count == 1 || part.utf8.first != 48, let number = UInt8(part)
      else { return nil }
      bits = bits << 8 | UInt32(number)
    }
    return bits
  }

  private static func parseV6(_ text: String) -> UInt128? {
    let halves = text.split(separator: "::", omittingEmptySubsequences: false)
    guard halves.count <= 2, let head = groups(halves[0], isLast: halves.count == 1) else { return nil }
    guard halves.count == 2 else { return head.count == 8 ? number(head) : nil }
    guard let tail = groups(halves[1], isLast: true), head.count + tail.count < 8 else { return nil }
    return number(head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail)
  }

  private static func groups(_ text: Substring, isLast: Bool) -> [UInt16]? {
    guard !text.isEmpty else { return [] }
    var parts = text.split(separator: ":", omittingEmptySubsequences: false)
    var trailing: [UInt16] = []
    if isLast, let last = parts.last, last.utf8.contains(UInt8(ascii: ".")) {
      guard let bits = parseV4(last) else { return nil }
      trailing = [UInt16(truncatingIfNeeded: bits >> 16), UInt16(truncatingIfNeeded: bits)]
      parts.removeLast()
    }
    var groups: [UInt16] = []
    for part in parts {
      let isHexadecimal = part.utf8.allSatisfy {
        (48...57).contains($0) || (65...70).contains($0) || (97...102).contains($0)
      }
      guard (1...4).contains(part.utf8.count), isHexadecimal, let group = UInt16(part, radix: 16) else {
        return nil
      }
      groups.append(group)
    }
    return groups + trailing
  }

  private static func number(_ groups: [UInt16]) -> UInt128 {
    groups.reduce(0) { $0 << 16 | UInt128($1) }
  }

  private var textV6: String {
    let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> (112 - 16 * $0)) }
    var best = 0..<0
    var start = 0
    while start < 8 {
      var end = start
      while end < 8, groups[end] == 0 { end += 1 }
      if end - start > best.count { best = start..<end }
      start = max(end, start + 1)
    }
    let hex = { (part: ArraySlice<UInt16>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
    guard best.count > 1 else { return hex(groups[...]) }
    return hex(groups[..<best.lowerBound]) + "::" + hex(groups[best.upperBound...])
  }
}
