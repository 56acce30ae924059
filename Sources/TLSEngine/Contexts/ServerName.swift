import COpenSSL

/// The host name that a client asks for (RFC 6066 §3), in one spelling: a name that is compared in two
/// spellings is a way around the comparison (CVE-2026-53622).
package enum ServerName: Equatable {
  case absent
  case invalid
  case name(String)

  /// - Parameter ssl: a session within its ClientHello callback.
  static func read(fromHelloOf ssl: OpaquePointer?) -> ServerName {
    var start: UnsafePointer<UInt8>?
    var length = 0
    guard unsafe SSL_client_hello_get0_ext(ssl, UInt32(TLSEXT_TYPE_server_name), &start, &length) == 1 else {
      return .absent
    }
    return unsafe ServerName(extension: [UInt8](UnsafeBufferPointer(start: start, count: length)))
  }

  /// - Parameter bytes: the body of the extension: one list of one host name.
  init(extension bytes: [UInt8]) {
    guard bytes.count >= 5, Int(bytes[0]) << 8 | Int(bytes[1]) == bytes.count - 2, bytes[2] == 0,
      Int(bytes[3]) << 8 | Int(bytes[4]) == bytes.count - 5
    else {
      self = .invalid
      return
    }
    self.init(host: bytes.dropFirst(5))
  }

  /// A name as a client may send it, in the one spelling in which it becomes a fact; nil where a hello with it
  /// is refused.
  package static func canonical(_ text: String) -> String? {
    if case .name(let name) = ServerName(host: text.utf8) { name } else { nil }
  }

  /// Lower case, without the dot of the root; letters, digits, hyphens and underscores in labels of 1 to 63,
  /// 253 at most together. An IPv4 address passes as a name, as clients send them.
  init(host: some Sequence<UInt8>) {
    var name: [UInt8] = host.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
    if name.last == UInt8(ascii: ".") { name.removeLast() }
    let labels = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    let isValid =
      name.count <= 253 && labels.allSatisfy { (1...63).contains($0.count) && $0.allSatisfy(Self.isAllowed) }
    self = isValid ? .name(String(decoding: name, as: UTF8.self)) : .invalid
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "_"): true
    default: false
    }
  }
}
