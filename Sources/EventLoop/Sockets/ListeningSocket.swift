internal import CLinux
internal import Glibc

/// A socket that takes connections. Non-blocking and closed on exec.
package struct ListeningSocket: ~Copyable, Sendable {
  private let descriptor: Descriptor
  /// The file of a Unix socket that `listen` bound; nil for every other socket, and for duplicates.
  package let file: UnixSocketFile?

  private init(_ descriptor: consuming Descriptor, file: UnixSocketFile? = nil) {
    self.descriptor = descriptor
    self.file = file
  }

  /// For the poller and for messages; valid while this value lives.
  package var number: Int32 { descriptor.number }

  /// The address it listens on, with the real port where 0 was asked for.
  package borrowing func localAddress() -> NetworkAddress? { number.localAddress() }

  /// Stops listening. The file of a Unix socket stays until it is removed by hand; the next `listen` replaces
  /// it.
  package consuming func close() { descriptor.close() }

  /// Binds and listens. `[::]` takes IPv4 too (dual stack), as Go, Envoy and PostgreSQL hosts expect; any
  /// other IPv6 address is IPv6 alone. `reusePort` lets several workers own a socket each on one port; it
  /// also lets another process of this user join, so call `checkUnused(_:)` first. The file of a dead Unix
  /// listener is replaced; one that answers, or is no socket, is EADDRINUSE.
  /// - Parameter access: who may connect to a Unix socket; of no meaning elsewhere.
  package static func listen(
    on address: NetworkAddress, backlog: Int32, reusePort: Bool, access: UnixSocketAccess = .init()
  ) throws(SystemError) -> ListeningSocket {
    let target = try SocketAddress(address, for: "bind")
    if case .unix(let path) = address { try UnixSocketFile.removeDead(path, target) }
    let descriptor = try openSocket(target.family)
    do throws(SystemError) {
      let file = try bindAndListen(descriptor.number, target, address, backlog, reusePort, access)
      return ListeningSocket(descriptor, file: file)
    } catch {
      descriptor.close()
      throw error
    }
  }

  /// Throws EADDRINUSE where somebody listens on the address already, which `reusePort` would hide: two
  /// gateways would share the connections, each under its own policy.
  package static func checkUnused(_ address: NetworkAddress) throws(SystemError) {
    if case .unix = address { return }
    let probe = try listen(on: address, backlog: 1, reusePort: false)
    probe.close()
  }

  /// Takes a listening socket that was opened elsewhere (socket activation) and makes it non-blocking and
  /// closed on exec.
  package static func adopt(_ descriptor: consuming Descriptor) throws(SystemError) -> ListeningSocket {
    let socket = ListeningSocket(descriptor)
    let number = socket.number
    do throws(SystemError) {
      let flags = try SystemCall.checked("fcntl") { Int(fcntl(number, F_GETFL)) }
      try SystemCall.checked("fcntl") {
        Int(fcntl(number, F_SETFL, Int32(truncatingIfNeeded: flags) | O_NONBLOCK))
      }
      try SystemCall.checked("fcntl") { Int(fcntl(number, F_SETFD, FD_CLOEXEC)) }
    } catch {
      socket.close()
      throw error
    }
    if socket.localAddress()?.port != nil { number.setTCPDefaults() }
    return socket
  }

  /// A second descriptor of the same socket, for another worker where `reusePort` cannot serve (Unix
  /// sockets, sockets that were handed over).
  package borrowing func duplicate() throws(SystemError) -> ListeningSocket {
    let number = self.number
    let copy = try SystemCall.checked("fcntl") { Int(fcntl(number, F_DUPFD_CLOEXEC, 0)) }
    return ListeningSocket(Descriptor(adopting: Int32(truncatingIfNeeded: copy)))
  }

  /// Takes one waiting connection.
  package borrowing func accept() -> AcceptStep {
    let number = self.number
    var address = SocketAddress()
    let outcome = SystemCall.retrying {
      Int(unsafe address.withMutablePointer { unsafe countersign_accept(number, $0, $1) })
    }
    switch outcome {
    case .failure(let code):
      return .classified(code)
    case .value(let accepted):
      let socket = StreamSocket(Descriptor(adopting: Int32(truncatingIfNeeded: accepted)))
      guard let peer = address.networkAddress else {
        // A family that we never listen on: a connection without a source cannot be judged.
        socket.close()
        return .retry
      }
      return .accepted(socket, from: peer)
    }
  }
}

extension ListeningSocket {
  private static func bindAndListen(
    _ number: Int32, _ target: SocketAddress, _ address: NetworkAddress, _ backlog: Int32, _ reusePort: Bool,
    _ access: UnixSocketAccess
  ) throws(SystemError) -> UnixSocketFile? {
    if let error = number.setListeningOptions(address, reusePort: reusePort) { throw error }
    try SystemCall.checked("bind") { Int(unsafe target.withPointer { unsafe bind(number, $0, $1) }) }
    guard case .unix(let path) = address else {
      try SystemCall.checked("listen") { Int(Glibc.listen(number, backlog)) }
      return nil
    }
    // Whoever connects before listen(2) is refused (connect(2), ECONNREFUSED), so that nobody gets in by the
    // mode and owner that the file has at first, whatever the umask.
    let file = try UnixSocketFile(path)
    do throws(SystemError) {
      try file.grant(access)
      try SystemCall.checked("listen") { Int(Glibc.listen(number, backlog)) }
      return file
    } catch {
      file.remove()
      throw error
    }
  }
}

extension Int32 {
  /// Linux copies the options of a listener to every socket that it accepts, so keepalive and no-delay are
  /// set here once and cost nothing per connection.
  fileprivate func setListeningOptions(_ address: NetworkAddress, reusePort: Bool) -> SystemError? {
    if case .unix = address { return nil }
    setTCPDefaults()
    // A restart must not wait for connections in TIME_WAIT (RFC 1122 section 4.2.2.13, socket(7)).
    if let error = setOption(socketLevel: SO_REUSEADDR, 1) { return error }
    if reusePort, let error = setOption(socketLevel: SO_REUSEPORT, 1) { return error }
    guard case .v6(let host, _, _) = address else { return nil }
    // Said outright, because the default is a sysctl (net.ipv6.bindv6only).
    return setOption(Int(IPPROTO_IPV6), IPV6_V6ONLY, host == 0 ? 0 : 1)
  }
}
