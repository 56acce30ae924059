internal import CLinux
internal import Glibc

/// A connected, or connecting, TCP or Unix stream. Non-blocking and closed on exec from its first moment.
package struct StreamSocket: ~Copyable, Sendable {
  private let descriptor: Descriptor

  /// Takes a descriptor that is a stream socket, non-blocking and CLOEXEC.
  init(_ descriptor: consuming Descriptor) {
    self.descriptor = descriptor
  }

  /// For the poller and for messages; valid while this value lives.
  package var number: Int32 { descriptor.number }

  /// Closes both directions. Unread received data makes the kernel send a reset instead of a FIN
  /// (RFC 1122 section 4.2.2.13).
  package consuming func close() { descriptor.close() }

  /// Starts to connect, with TCP_NODELAY and keepalive. The answer comes as writability; then ask
  /// `connectError()`. Throws what is known at once: ECONNREFUSED, ENOENT and EACCES of a Unix path,
  /// EAGAIN where the backlog of a Unix listener is full, ENETUNREACH, EMFILE.
  package static func connect(to address: NetworkAddress) throws(SystemError) -> StreamSocket {
    let target = try SocketAddress(address, for: "connect")
    let socket = StreamSocket(try openSocket(target.family))
    if target.family != AF_UNIX { socket.number.setTCPDefaults() }
    let number = socket.number
    let outcome = SystemCall.once {
      Int(unsafe target.withPointer { unsafe Glibc.connect(number, $0, $1) })
    }
    // An interrupted connect goes on by itself (POSIX connect): a second one would say EALREADY.
    if case .failure(let code) = outcome, code != EINPROGRESS, code != EINTR {
      socket.close()
      throw SystemError(call: "connect", code: code)
    }
    return socket
  }

  /// After the first writability of a connecting socket: nil when it is connected, else why it is not.
  /// Reading it clears it (SO_ERROR, socket(7)).
  package borrowing func connectError() -> SystemError? {
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    let number = self.number
    let outcome = SystemCall.retrying {
      Int(unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &size))
    }
    if case .failure(let failed) = outcome { return SystemError(call: "getsockopt", code: failed) }
    return code == 0 ? nil : SystemError(call: "connect", code: code)
  }

  /// Says that no more will be sent (FIN); receiving goes on. A peer that is already gone is no error here:
  /// the next receive tells.
  package borrowing func shutdownSending() {
    let number = self.number
    _ = SystemCall.retrying { Int(shutdown(number, Int32(SHUT_WR))) }
  }

  /// The address of this end; nil where the kernel has none any more.
  package borrowing func localAddress() -> NetworkAddress? { number.localAddress() }

  /// The address of the other end; nil while connecting and after a reset.
  package borrowing func remoteAddress() -> NetworkAddress? {
    let number = self.number
    var address = SocketAddress()
    let outcome = SystemCall.retrying {
      Int(unsafe address.withMutablePointer { unsafe getpeername(number, $0, $1) })
    }
    guard case .value = outcome else { return nil }
    return address.networkAddress
  }
}

/// Opens a stream socket of a family.
func openSocket(_ family: Int32) throws(SystemError) -> Descriptor {
  let number = try SystemCall.checked("socket") {
    Int(socket(family, countersign_stream_socket_type(), 0))
  }
  return Descriptor(adopting: Int32(truncatingIfNeeded: number))
}
