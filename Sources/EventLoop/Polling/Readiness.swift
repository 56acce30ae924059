internal import CLinux

/// What epoll says about a descriptor.
package struct Readiness: OptionSet, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// Bytes, a connection or the end of the stream can be read.
  package static let readable = Readiness(rawValue: 1)
  /// There is room to send, or a connect has ended.
  package static let writable = Readiness(rawValue: 2)
  /// The peer closed its sending side (EPOLLRDHUP); unread bytes may lie before the end.
  package static let peerClosed = Readiness(rawValue: 4)
  /// The socket has an error for `connectError()`, or for the next receive or send.
  package static let error = Readiness(rawValue: 8)
  /// Both directions are closed (EPOLLHUP); unread bytes may remain.
  package static let hangUp = Readiness(rawValue: 16)

  init(epoll events: UInt32) {
    var set: Readiness = []
    if events & countersign_epoll_readable() != 0 { set.insert(.readable) }
    if events & countersign_epoll_writable() != 0 { set.insert(.writable) }
    if events & countersign_epoll_peer_closed() != 0 { set.insert(.peerClosed) }
    if events & countersign_epoll_error() != 0 { set.insert(.error) }
    if events & countersign_epoll_hang_up() != 0 { set.insert(.hangUp) }
    self = set
  }
}
