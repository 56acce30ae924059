internal import CLinux
internal import Glibc

/// Why a name has no addresses.
package struct ResolveError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The name that was asked for.
  package let name: String
  /// The words of the resolver (gai_strerror), or of the system where the resolver met EAI_SYSTEM.
  package let reason: String
  /// Whether asking again later may help (EAI_AGAIN, a name server that did not answer).
  package let isTemporary: Bool

  /// `resolve db.internal: Name or service not known`
  package var description: String { "resolve \(name): \(reason)" }
}

/// Names to addresses, through the system's resolver (/etc/hosts, nsswitch, search domains of a pod).
package enum Resolver {
  /// The addresses of a host name or an address literal, in the order of getaddrinfo (RFC 6724), each once,
  /// never empty. It blocks for as long as the name servers take: never on a worker.
  package static func resolve(name: String, port: UInt16) throws(ResolveError) -> [NetworkAddress] {
    // A C string ends at its first NUL: the resolver would be asked about another name.
    guard !name.isEmpty, !name.utf8.contains(0) else {
      throw ResolveError(name: name, reason: "not a host name", isTemporary: false)
    }
    var hints = unsafe addrinfo()
    // AI_ADDRCONFIG: no IPv6 addresses on a host that has none, where each would cost a failed connect.
    unsafe hints.ai_flags = AI_ADDRCONFIG
    unsafe hints.ai_family = AF_UNSPEC
    unsafe hints.ai_socktype = countersign_stream_hint()
    var list: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(name, nil, &hints, &list)
    let systemCode = errno
    defer { if let list = unsafe list { unsafe freeaddrinfo(list) } }
    guard code == 0 else { throw failure(name, code, systemCode) }
    let found = unsafe addresses(list, port: port)
    guard !found.isEmpty else {
      throw ResolveError(name: name, reason: "the name has no IPv4 or IPv6 address", isTemporary: false)
    }
    return found
  }

  private static func failure(_ name: String, _ code: Int32, _ systemCode: Int32) -> ResolveError {
    if code == EAI_SYSTEM {
      let error = SystemError(call: "getaddrinfo", code: systemCode)
      return ResolveError(name: name, reason: error.description, isTemporary: true)
    }
    let reason = unsafe gai_strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    return ResolveError(name: name, reason: reason, isTemporary: code == EAI_AGAIN)
  }

  /// The list may repeat an address (one line of /etc/hosts per alias); the first place counts.
  private static func addresses(
    _ list: UnsafeMutablePointer<addrinfo>?, port: UInt16
  ) -> [NetworkAddress] {
    var found: [NetworkAddress] = []
    var next = unsafe list
    while let entry = unsafe next {
      let info = unsafe entry.pointee
      unsafe next = unsafe info.ai_next
      guard let raw = unsafe info.ai_addr,
        let address = unsafe SocketAddress(copying: raw, length: info.ai_addrlen).networkAddress
      else { continue }
      let withPort = address.withPort(port)
      if !found.contains(withPort) { found.append(withPort) }
    }
    return found
  }
}

extension SocketAddress {
  /// Copies `length` bytes of a kernel or resolver structure, at most what the storage holds.
  init(copying address: UnsafePointer<sockaddr>, length: socklen_t) {
    let count = min(Int(length), MemoryLayout<sockaddr_storage>.size)
    unsafe withUnsafeMutableBytes(of: &storage) {
      unsafe $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: count))
    }
    self.length = socklen_t(count)
  }
}
