internal import Glibc

/// The kernel's form of an address: a buffer that fits every family, and how much of it counts.
struct SocketAddress {
  var storage = sockaddr_storage()
  var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

  /// Where sun_path starts, and how many bytes it has (108 on Linux, unix(7)).
  private static let pathOffset = MemoryLayout<sa_family_t>.size
  private static let pathCapacity = MemoryLayout<sockaddr_un>.size - pathOffset

  /// Room for the kernel to write an address into.
  init() {}

  /// Throws ENAMETOOLONG for a Unix path over 107 bytes, EINVAL for an empty one or one with a NUL, which
  /// the kernel would cut there, naming another file.
  init(_ address: NetworkAddress, for call: StaticString) throws(SystemError) {
    switch address {
    case .v4(let host, let port):
      var inet = sockaddr_in()
      inet.sin_family = sa_family_t(AF_INET)
      inet.sin_port = port.bigEndian
      inet.sin_addr.s_addr = host.bigEndian
      store(inet)
    case .v6(let host, let port, let scope):
      var inet = sockaddr_in6()
      inet.sin6_family = sa_family_t(AF_INET6)
      inet.sin6_port = port.bigEndian
      inet.sin6_scope_id = scope
      unsafe withUnsafeMutableBytes(of: &inet.sin6_addr) {
        unsafe $0.storeBytes(of: host.bigEndian, as: UInt128.self)
      }
      store(inet)
    case .unix(let path):
      try storePath(path, for: call)
    }
  }

  /// All three structures are smaller than sockaddr_storage by its definition (POSIX, <sys/socket.h>).
  private mutating func store<Address>(_ address: Address) {
    let size = MemoryLayout<Address>.size
    precondition(size <= MemoryLayout<sockaddr_storage>.size)
    unsafe withUnsafeMutableBytes(of: &storage) { target in
      unsafe withUnsafeBytes(of: address) { unsafe target.copyMemory(from: $0) }
    }
    length = socklen_t(size)
  }

  private mutating func storePath(_ path: String, for call: StaticString) throws(SystemError) {
    let bytes = Array(path.utf8)
    guard !bytes.isEmpty, !bytes.contains(0) else { throw SystemError(call: call, code: EINVAL) }
    guard bytes.count < Self.pathCapacity else { throw SystemError(call: call, code: ENAMETOOLONG) }
    storage.ss_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &storage) { target in
      for (index, byte) in bytes.enumerated() { unsafe target[Self.pathOffset + index] = byte }
      unsafe target[Self.pathOffset + bytes.count] = 0
    }
    length = socklen_t(Self.pathOffset + bytes.count + 1)
  }

  /// A Unix address as `NOTIFY_SOCKET` writes it: a path, or `@` and a name of the abstract namespace
  /// (unix(7)), which counts without a NUL at its end. Throws as `init(_:for:)` does.
  init(unix text: String, for call: StaticString) throws(SystemError) {
    guard text.hasPrefix("@") else {
      try storePath(text, for: call)
      return
    }
    let name = Array(text.utf8.dropFirst())
    guard !name.isEmpty else { throw SystemError(call: call, code: EINVAL) }
    guard name.count < Self.pathCapacity else { throw SystemError(call: call, code: ENAMETOOLONG) }
    storage.ss_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &storage) { target in
      unsafe target[Self.pathOffset] = 0
      for (index, byte) in name.enumerated() { unsafe target[Self.pathOffset + 1 + index] = byte }
    }
    length = socklen_t(Self.pathOffset + 1 + name.count)
  }

  /// The family to open a socket of.
  var family: Int32 { Int32(storage.ss_family) }

  /// Lends the address to a call that only reads it.
  func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    unsafe withUnsafePointer(to: storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
    }
  }

  /// Lends the whole room to a call that writes an address into it.
  mutating func withMutablePointer<Result>(
    _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result
  ) -> Result {
    length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe withUnsafeMutablePointer(to: &length) { [address = $0] in unsafe body(address, $0) }
      }
    }
  }
}

extension SocketAddress {
  /// The address that the kernel wrote; nil for another family or fewer bytes than its structure has.
  var networkAddress: NetworkAddress? {
    let used = min(Int(length), MemoryLayout<sockaddr_storage>.size)
    guard used >= Self.pathOffset else { return nil }
    return unsafe withUnsafeBytes(of: storage) { bytes in
      switch family {
      case AF_INET where used >= MemoryLayout<sockaddr_in>.size:
        let inet = unsafe bytes.load(as: sockaddr_in.self)
        return .v4(UInt32(bigEndian: inet.sin_addr.s_addr), port: UInt16(bigEndian: inet.sin_port))
      case AF_INET6 where used >= MemoryLayout<sockaddr_in6>.size:
        return Self.unmapped(unsafe bytes.load(as: sockaddr_in6.self))
      case AF_UNIX:
        let path = unsafe UnsafeRawBufferPointer(rebasing: bytes[Self.pathOffset..<used])
        return unsafe .unix(Self.pathText(path))
      default:
        return nil
      }
    }
  }

  /// `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2) is an IPv4 peer of a dual-stack socket. It becomes `.v4`
  /// here, at the fence: otherwise a rule on `10.0.0.0/8` would be silent about the same host behind `[::]`.
  private static func unmapped(_ inet: sockaddr_in6) -> NetworkAddress {
    let host = UInt128(
      bigEndian: unsafe withUnsafeBytes(of: inet.sin6_addr) { unsafe $0.loadUnaligned(as: UInt128.self) })
    let port = UInt16(bigEndian: inet.sin6_port)
    guard host >> 32 == 0xffff else { return .v6(host, port: port, scope: inet.sin6_scope_id) }
    return .v4(UInt32(truncatingIfNeeded: host), port: port)
  }

  /// unix(7): no bytes are an unnamed peer, a leading NUL the abstract namespace, else a path up to NUL.
  private static func pathText(_ path: UnsafeRawBufferPointer) -> String {
    guard let first = unsafe path.first else { return "" }
    if first == 0 {
      guard path.count > 1 else { return "" }
      return unsafe "@" + String(decoding: path.dropFirst(), as: UTF8.self)
    }
    return unsafe String(decoding: path.prefix { $0 != 0 }, as: UTF8.self)
  }
}
