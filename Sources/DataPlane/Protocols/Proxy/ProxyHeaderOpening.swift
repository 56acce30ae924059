/// The first bytes of a connection that is to begin with TLS, for the log to say what came instead: a PROXY header
/// from somebody who may not send one. OpenSSL refuses it for being no TLS, and so reads no more than this.
package struct ProxyHeaderOpening: Sendable {
  private static let length = 5
  /// `PROXY`
  private static let version1: UInt64 = 0x50_52_4f_58_59
  /// What version 2 begins with: CR LF CR LF NUL.
  private static let version2: UInt64 = 0x0d_0a_0d_0a_00

  private var bits: UInt64 = 0
  private var count = 0

  package init() {}

  /// Takes the next bytes, cut anywhere.
  package mutating func note(_ bytes: UnsafeRawBufferPointer) {
    var position = 0
    while count < Self.length, position < bytes.count {
      unsafe bits = bits << 8 | UInt64(bytes[position])
      count += 1
      position += 1
    }
  }

  package var isProxyHeader: Bool {
    count == Self.length && (bits == Self.version1 || bits == Self.version2)
  }
}

extension ProxyHeader {
  /// Whether bytes that should be no header begin like one.
  static func likeness(_ bytes: Span<UInt8>) -> Span<UInt8>.Likeness {
    let version1 = bytes.startsLike("PROXY ")
    return version1 == .different ? bytes.startsLike(ProxyHeaderV2.signature) : version1
  }

  /// Says why a header was refused that is well-formed perhaps, and in the wrong place for sure.
  static func unexpected(isSecond: Bool) -> String {
    isSecond
      ? "a PROXY header is followed by another one"
      : "the client began with a PROXY header, and its address is not one of the listener's proxy_protocol.from"
  }
}
