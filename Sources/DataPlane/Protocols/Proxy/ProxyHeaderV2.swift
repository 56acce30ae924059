internal import AccessPolicy
internal import EventLoop

/// Version 2, the binary form (section 2.2).
enum ProxyHeaderV2 {
  static let firstByte: UInt8 = 0x0d
  static let signature: StaticString = "\r\n\r\n\0\r\nQUIT\n"
  /// Signature, version and command, family, and the length of the rest.
  static let fixedLength = 16
  static let local: UInt8 = 0x20
  static let proxy: UInt8 = 0x21

  /// The byte of family and transport. Datagrams are none of ours: a stream cannot have come as one.
  enum Family: UInt8 {
    case unspecified = 0x00
    case tcp4 = 0x11
    case tcp6 = 0x21
    case unixStream = 0x31

    var addressLength: Int {
      switch self {
      case .unspecified: 0
      case .tcp4: 12
      case .tcp6: 36
      case .unixStream: 216
      }
    }
  }

  static func parse(_ bytes: Span<UInt8>) -> WireStep<ProxyHeader> {
    switch bytes.startsLike(signature) {
    case .different: return .invalid("the signature of a PROXY v2 header is broken")
    case .soFar: return .incomplete
    case .whole: break
    }
    guard bytes.count > 12 else { return .incomplete }
    guard bytes[12] == local || bytes[12] == proxy else {
      return .invalid(
        "a PROXY v2 header has version and command 0x20 or 0x21, found \(ProxyHeader.hexadecimal(bytes[12]))")
    }
    guard bytes.count > 13 else { return .incomplete }
    let family = Family(rawValue: bytes[13])
    if bytes[12] == proxy, family == nil {
      return .invalid(
        "a PROXY v2 header has the family \(ProxyHeader.hexadecimal(bytes[13])), which is no stream")
    }
    guard bytes.count >= fixedLength else { return .incomplete }
    let length = fixedLength + Int(bytes[14]) << 8 + Int(bytes[15])
    guard length <= ProxyHeader.maxLength else {
      return .invalid(
        "a PROXY v2 header of \(length) bytes is over the \(ProxyHeader.maxLength) that are read")
    }
    // "The receiver must […] discard the protocol block including the family which is ignored": LOCAL.
    guard bytes[12] == proxy, let family else {
      guard bytes.count >= length else { return .incomplete }
      return .complete(ProxyHeader(version: .v2, claim: nil), length: length)
    }
    guard length >= fixedLength + family.addressLength else {
      return .invalid("a PROXY v2 header is too short for the addresses of its family")
    }
    guard bytes.count >= length else { return .incomplete }
    if let problem = ProxyTLV.problem(bytes, fixedLength + family.addressLength..<length) {
      return .invalid(problem)
    }
    return .complete(ProxyHeader(version: .v2, claim: claim(bytes, family)), length: length)
  }

  /// The addresses of a header that is all there.
  private static func claim(_ bytes: Span<UInt8>, _ family: Family) -> ProxyHeader.Claim? {
    var cursor = WireCursor(fixedLength..<fixedLength + family.addressLength, of: bytes)
    let size: Int
    switch family {
    case .unspecified: return nil
    case .tcp4: size = 4
    case .tcp6: size = 16
    case .unixStream:
      guard let source = cursor.take(108), let destination = cursor.take(108) else { return nil }
      return ProxyHeader.Claim(source: unix(bytes, source), destination: unix(bytes, destination))
    }
    guard let source = cursor.take(size), let destination = cursor.take(size),
      let sourcePort = cursor.big(2, bytes), let destinationPort = cursor.big(2, bytes)
    else { return nil }
    return ProxyHeader.Claim(
      source: internet(bytes, source, sourcePort), destination: internet(bytes, destination, destinationPort))
  }

  private static func internet(_ bytes: Span<UInt8>, _ range: Range<Int>, _ port: UInt64) -> NetworkAddress {
    let bits = range.reduce(UInt128(0)) { $0 << 8 | UInt128(bytes[$1]) }
    let address = range.count == 4 ? IPAddress(v4: UInt32(truncatingIfNeeded: bits)) : IPAddress(v6: bits)
    return NetworkAddress(ip: address, port: UInt16(truncatingIfNeeded: port))
  }

  /// A path up to its first zero, or a name in the abstract namespace, which begins with one (unix(7)). It is
  /// for messages only, so what is no UTF-8 is shown as such.
  private static func unix(_ bytes: Span<UInt8>, _ range: Range<Int>) -> NetworkAddress {
    let isAbstract = bytes[range.lowerBound] == 0 && bytes[range.lowerBound + 1] != 0
    let start = range.lowerBound + (isAbstract ? 1 : 0)
    let end = (start..<range.upperBound).first { bytes[$0] == 0 } ?? range.upperBound
    return .unix((isAbstract ? "@" : "") + String(decoding: bytes.copy(start..<end), as: UTF8.self))
  }
}
