internal import CLinux
internal import Glibc

/// Sends single messages to a Unix datagram socket, such as a service manager's.
///
/// Each goes out by a socket of its own, as libsystemd does it: the receiver may come back as another socket
/// of the same name, and messages are rare.
package struct DatagramSender: Sendable {
  /// How long a send may wait for a receiver that is behind.
  private static let patience = timeval(tv_sec: 1, tv_usec: 0)

  private let target: SocketAddress

  /// - Parameter address: a path, or `@` and a name of the abstract namespace.
  /// - Throws: EINVAL or ENAMETOOLONG where it is no address.
  package init(to address: String) throws(SystemError) {
    target = try SocketAddress(unix: address, for: "sendto")
  }

  /// Sends `text` as one message. Throws ENOENT or ECONNREFUSED where nobody receives, EAGAIN where the
  /// receiver took nothing for a second.
  package func send(_ text: String) throws(SystemError) {
    let number = try SystemCall.checked("socket") {
      Int(socket(AF_UNIX, countersign_datagram_socket_type(), 0))
    }
    let descriptor = Descriptor(adopting: Int32(truncatingIfNeeded: number))
    let failure = deliver(Array(text.utf8), by: descriptor.number)
    descriptor.close()
    if let failure { throw failure }
  }

  private func deliver(_ bytes: [UInt8], by sender: Int32) -> SystemError? {
    var patience = Self.patience
    do throws(SystemError) {
      try SystemCall.checked("setsockopt") {
        let size = socklen_t(MemoryLayout<timeval>.size)
        return Int(unsafe setsockopt(sender, SOL_SOCKET, SO_SNDTIMEO, &patience, size))
      }
      try SystemCall.checked("sendto") {
        unsafe bytes.withUnsafeBytes { message in
          unsafe target.withPointer { address, length in
            unsafe sendto(
              sender, message.baseAddress, message.count, countersign_send_flags(), address, length)
          }
        }
      }
      return nil
    } catch {
      return error
    }
  }
}
