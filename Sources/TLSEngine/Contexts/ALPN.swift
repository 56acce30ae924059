import COpenSSL

/// Application-layer protocol negotiation (RFC 7301).
enum ALPN {
  /// - Returns: the names as they go over the wire, each behind its length.
  static func wire(_ names: [String]) throws(TLSConfigurationError) -> [UInt8] {
    var wire: [UInt8] = []
    for name in names {
      let bytes = Array(name.utf8)
      guard let length = UInt8(exactly: bytes.count), length > 0 else {
        throw TLSConfigurationError(
          .alpn, "alpn-length", "the protocol name \"\(name)\" has \(bytes.count) bytes, expected 1 to 255")
      }
      wire += [length] + bytes
    }
    guard wire.count <= UInt16.max else {
      throw TLSConfigurationError(
        .alpn, "alpn-length", "the protocol names are \(wire.count) bytes long together")
    }
    return wire
  }
}
