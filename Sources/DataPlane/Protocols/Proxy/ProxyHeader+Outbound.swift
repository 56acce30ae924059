internal import AccessPolicy
package import EventLoop

/// What an upstream is told of the client's TLS in a version 2 header.
package struct ProxyTLSDescription: Hashable, Sendable {
  /// `TLSv1.3`
  package let version: String
  package let cipher: String
  /// The subject's common name, where it has exactly one.
  package let commonName: String?
  /// The leaf that the client proved, in DER.
  package let certificate: [UInt8]

  package init(version: String, cipher: String, commonName: String?, certificate: [UInt8]) {
    self.version = version
    self.cipher = cipher
    self.commonName = commonName
    self.certificate = certificate
  }
}

extension ProxyHeader {
  /// For connections of the gateway's own, such as health checks: nobody is behind them.
  package static let local: [UInt8] = begin(command: ProxyHeaderV2.local, family: .unspecified) + [0, 0]

  /// The line of version 1. Where there is no pair of Internet addresses it is `UNKNOWN`.
  package static func v1(source: NetworkAddress, destination: NetworkAddress) -> [UInt8] {
    guard let sourcePort = source.port, let destinationPort = destination.port else {
      return Array("PROXY UNKNOWN\r\n".utf8)
    }
    let isV4 = source.ip?.family == .v4 && destination.ip?.family == .v4
    let addresses = [source, destination].map { isV4 ? $0.ip?.text ?? "" : text(v6Bits($0)) }
    return Array(
      "PROXY \(isV4 ? "TCP4" : "TCP6") \(addresses[0]) \(addresses[1]) \(sourcePort) \(destinationPort)\r\n"
        .utf8)
  }

  /// Version 2, with the client's TLS and the caller's name where they are given.
  ///
  /// A header over ``maxLength`` would meet receivers that refuse it (HAProxy reads a buffer, 16 KiB). The
  /// certificate is left out of it then, as the protocol lets a sender do; a name is never cut, for a part of
  /// a name may be another's.
  /// - Returns: nil where the header is too long even so.
  package static func v2(
    source: NetworkAddress, destination: NetworkAddress, tls: ProxyTLSDescription? = nil,
    caller: String? = nil
  ) -> [UInt8]? {
    let addresses = block(source, destination)
    for withCertificate in [true, false] {
      guard let extensions = extensions(tls, caller, withCertificate: withCertificate) else { continue }
      let length = addresses.bytes.count + extensions.count
      guard ProxyHeaderV2.fixedLength + length <= maxLength else { continue }
      let command = addresses.family == .unspecified ? ProxyHeaderV2.local : ProxyHeaderV2.proxy
      var header = begin(command: command, family: addresses.family)
      header.appendBig(length, 2)
      return header + addresses.bytes + extensions
    }
    return nil
  }

  private static func begin(command: UInt8, family: ProxyHeaderV2.Family) -> [UInt8] {
    Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [command, family.rawValue]
  }

  /// Two addresses of one family; an IPv4 address beside an IPv6 one is mapped. A Unix socket has none: such a
  /// connection goes as LOCAL, with its extensions, as HAProxy sends it. PROXY of an unspecified family would
  /// say more, and HAProxy and MariaDB refuse it.
  private static func block(
    _ source: NetworkAddress, _ destination: NetworkAddress
  ) -> (family: ProxyHeaderV2.Family, bytes: [UInt8]) {
    guard let sourcePort = source.port, let destinationPort = destination.port else {
      return (.unspecified, [])
    }
    var bytes: [UInt8] = []
    let family: ProxyHeaderV2.Family
    if let from = source.ip, let to = destination.ip, from.family == .v4, to.family == .v4 {
      family = .tcp4
      bytes.appendBig(from.bits, 4)
      bytes.appendBig(to.bits, 4)
    } else {
      family = .tcp6
      bytes.appendBig(v6Bits(source), 16)
      bytes.appendBig(v6Bits(destination), 16)
    }
    bytes.appendBig(sourcePort, 2)
    bytes.appendBig(destinationPort, 2)
    return (family, bytes)
  }

  /// - Returns: nil where a value is longer than its 16 bits of length can say.
  private static func extensions(
    _ tls: ProxyTLSDescription?, _ caller: String?, withCertificate: Bool
  ) -> [UInt8]? {
    var bytes: [UInt8] = []
    if let tls {
      // PP2_CLIENT_SSL, CERT_CONN and CERT_SESS, and 0 for a certificate that was verified.
      var value: [UInt8] = [0x07, 0, 0, 0, 0]
      guard append(ProxyTLV.sslVersion, tls.version.utf8, to: &value),
        append(ProxyTLV.sslCipher, tls.cipher.utf8, to: &value)
      else { return nil }
      if let name = tls.commonName, !append(ProxyTLV.sslCommonName, name.utf8, to: &value) { return nil }
      if withCertificate, !append(ProxyTLV.sslClientCertificate, tls.certificate, to: &value) { return nil }
      guard append(ProxyTLV.ssl, value, to: &bytes) else { return nil }
    }
    if let caller, !append(ProxyTLV.callerName, caller.utf8, to: &bytes) { return nil }
    return bytes
  }

  private static func append(_ type: UInt8, _ value: some Collection<UInt8>, to bytes: inout [UInt8]) -> Bool
  {
    guard value.count <= Int(UInt16.max) else { return false }
    bytes.append(type)
    bytes.appendBig(value.count, 2)
    bytes += value
    return true
  }

  /// RFC 4291 section 2.5.5.2 for an IPv4 address.
  private static func v6Bits(_ address: NetworkAddress) -> UInt128 {
    guard let ip = address.ip else { return 0 }
    return ip.family == .v4 ? 0xffff << 32 | ip.bits : ip.bits
  }

  /// Eight groups, as section 2.1 has it: an IPv4 address that was mapped is not written with dots, and nothing
  /// is folded, so that no reader has to know more than the section says.
  private static func text(_ bits: UInt128) -> String {
    (0..<8).map { String(UInt16(truncatingIfNeeded: bits >> (112 - 16 * $0)), radix: 16) }.joined(
      separator: ":")
  }
}
