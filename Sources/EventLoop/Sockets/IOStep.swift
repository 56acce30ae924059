/// What one receive or send did. A value without references: it costs nothing on the per-byte path.
package enum IOStep: Sendable, Equatable {
  /// So many bytes were moved; fewer than asked for is ordinary.
  case bytes(Int)
  /// The peer closed its sending side; only a receive says so.
  case endOfStream
  /// Nothing can be moved now; the poller tells when it can.
  case wouldBlock
  /// The connection is broken (ECONNRESET, EPIPE, ETIMEDOUT, …).
  case failed(SystemError)
}
