internal import Synchronization

/// A listening socket on its way to the thread that will own it: a message can be copied, a socket cannot.
package final class ListeningSocketBox: Sendable {
  private let socket: Mutex<ListeningSocket?>

  package init(_ socket: consuming ListeningSocket) { self.socket = Mutex(consume socket) }

  /// Takes the socket out; nil the second time.
  package func take() -> ListeningSocket? { socket.withLock { $0.take() } }

  /// A socket that nobody took serves nobody.
  deinit { if let socket = take() { socket.close() } }
}
