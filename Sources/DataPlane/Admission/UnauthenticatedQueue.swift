package import EventLoop

/// Connections of one listener at one worker that have not completed their handshake, oldest first; where the
/// listener has several sockets, over all of them.
///
/// A connection that leaves otherwise than by eviction stays in the queue as a stale token until it comes to
/// the front, so leaving costs nothing; the handshake deadline bounds how long that takes.
package final class UnauthenticatedQueue {
  private var tokens: [Token] = []
  private var head = 0
  /// Connections that are in their handshake now.
  package private(set) var count = 0

  package init() {}

  package func enter(_ token: Token) {
    tokens.append(token)
    count += 1
  }

  /// A connection has completed its handshake or has ended.
  package func leave() { count -= 1 }

  /// - Parameter isWaiting: whether a token still stands for a connection in its handshake.
  /// - Returns: the oldest such connection; it stays counted until it leaves.
  package func oldest(where isWaiting: (Token) -> Bool) -> Token? {
    while head < tokens.count {
      let token = tokens[head]
      head += 1
      if isWaiting(token) {
        compact()
        return token
      }
    }
    compact()
    return nil
  }

  /// Forgets stale tokens at the front.
  package func trim(where isWaiting: (Token) -> Bool) {
    while head < tokens.count, !isWaiting(tokens[head]) { head += 1 }
    compact()
  }

  private func compact() {
    guard head > 64, head * 2 > tokens.count else { return }
    tokens.removeFirst(head)
    head = 0
  }
}
