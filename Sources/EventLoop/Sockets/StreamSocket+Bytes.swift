internal import CLinux
internal import Glibc

/// Moving bytes: one system call each, no allocation, no reference count.
extension StreamSocket {
  /// Receives into `buffer`. No room is `.bytes(0)`: recv(2) would answer 0, which means the end.
  package borrowing func receive(into buffer: UnsafeMutableRawBufferPointer) -> IOStep {
    guard buffer.count > 0 else { return .bytes(0) }
    let number = self.number
    switch SystemCall.retrying({ unsafe recv(number, buffer.baseAddress, buffer.count, 0) }) {
    case .value(0): return .endOfStream
    case .value(let count): return .bytes(count)
    case .failure(let code): return Self.stopped("recv", code)
    }
  }

  /// Sends the start of `bytes`, as much as the kernel takes. A peer that is gone is EPIPE, never a signal.
  package borrowing func send(_ bytes: UnsafeRawBufferPointer) -> IOStep {
    guard bytes.count > 0 else { return .bytes(0) }
    let number = self.number
    let flags = countersign_send_flags()
    switch SystemCall.retrying({ unsafe Glibc.send(number, bytes.baseAddress, bytes.count, flags) }) {
    case .value(let count): return .bytes(count)
    case .failure(let code): return Self.stopped("send", code)
    }
  }

  /// Sends the two pieces one after the other in one call; the count runs over both.
  package borrowing func sendGathered(
    _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
  ) -> IOStep {
    guard first.count > 0 || second.count > 0 else { return .bytes(0) }
    let number = self.number
    // sendmsg only reads through iov_base; the type has no const because recvmsg shares it.
    var pieces = unsafe (
      iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count),
      iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count)
    )
    let flags = countersign_send_flags()
    let outcome = unsafe withUnsafeMutablePointer(to: &pieces) { pair in
      unsafe pair.withMemoryRebound(to: iovec.self, capacity: 2) { vector in
        var message = unsafe msghdr()
        unsafe message.msg_iov = unsafe vector
        unsafe message.msg_iovlen = 2
        return SystemCall.retrying { unsafe sendmsg(number, &message, flags) }
      }
    }
    switch outcome {
    case .value(let count): return .bytes(count)
    case .failure(let code): return Self.stopped("sendmsg", code)
    }
  }

  private static func stopped(_ call: StaticString, _ code: Int32) -> IOStep {
    code == EAGAIN || code == EWOULDBLOCK ? .wouldBlock : .failed(SystemError(call: call, code: code))
  }
}
