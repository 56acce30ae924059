internal import Glibc

extension StreamSocket {
  /// Sends small records at once instead of waiting for an acknowledgement (Nagle, RFC 896). Accepted and
  /// connected TCP sockets have it already; nothing on a Unix socket.
  package borrowing func setNoDelay() {
    number.setOption(IPPROTO_TCP, TCP_NODELAY, 1)
  }

  /// Acknowledges what was received without waiting for something to send along (TCP_QUICKACK, tcp(7)); not
  /// permanent: the kernel goes back to delaying by itself.
  package borrowing func acknowledgeNow() {
    number.setOption(IPPROTO_TCP, TCP_QUICKACK, 1)
  }

  /// Makes the coming close a reset: what is not sent is dropped, and the peer learns that the stream was
  /// cut (socket(7), SO_LINGER with time 0). So is a reset passed on.
  package borrowing func resetOnClose() {
    var value = linger(l_onoff: 1, l_linger: 0)
    let number = self.number
    _ = SystemCall.retrying {
      Int(unsafe setsockopt(number, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size)))
    }
  }
}

/// The options of a descriptor that is known to be a socket.
extension Int32 {
  /// Sets an integer option. The error is for the caller that needs the option to hold.
  @discardableResult
  func setOption(_ level: Int, _ option: Int32, _ value: Int32) -> SystemError? {
    var value = value
    let outcome = SystemCall.retrying {
      let size = socklen_t(MemoryLayout<Int32>.size)
      return Int(unsafe setsockopt(self, Int32(level), option, &value, size))
    }
    guard case .failure(let code) = outcome else { return nil }
    return SystemError(call: "setsockopt", code: code)
  }

  /// Sets an option of the socket level.
  @discardableResult
  func setOption(socketLevel option: Int32, _ value: Int32) -> SystemError? {
    setOption(Int(SOL_SOCKET), option, value)
  }

  /// TCP_NODELAY and keepalive (tcp(7)): a peer that vanished without a word is found after
  /// 60 s + 4 * 15 s of silence, and a NAT or load balancer on the way (350 s at the usual ones) keeps
  /// its entry. None of these can fail on a TCP socket in a way that would end the connection.
  func setTCPDefaults() {
    setOption(Int(IPPROTO_TCP), TCP_NODELAY, 1)
    setOption(socketLevel: SO_KEEPALIVE, 1)
    setOption(Int(IPPROTO_TCP), TCP_KEEPIDLE, 60)
    setOption(Int(IPPROTO_TCP), TCP_KEEPINTVL, 15)
    setOption(Int(IPPROTO_TCP), TCP_KEEPCNT, 4)
  }

  /// getsockname(2)
  func localAddress() -> NetworkAddress? {
    var address = SocketAddress()
    let outcome = SystemCall.retrying {
      Int(unsafe address.withMutablePointer { unsafe getsockname(self, $0, $1) })
    }
    guard case .value = outcome else { return nil }
    return address.networkAddress
  }
}
