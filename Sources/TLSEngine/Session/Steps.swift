/// How far a handshake has come.
package enum HandshakeStep: Sendable {
  /// More ciphertext is needed, or room in the outbound buffer.
  case incomplete
  /// Both sides have proven what they had to; application data can be read and written.
  case complete
  /// It has failed for good; an alert for the peer, where the protocol still allows one, is in `outbound`.
  case failed(HandshakeFailure)
}

/// What came of a read.
package enum ReadStep: Hashable, Sendable {
  /// How many bytes were read, at least one.
  case bytes(Int)
  /// All ciphertext is used up, and more must be received first; or, where some is left, OpenSSL has to answer
  /// (a KeyUpdate, an alert) and the outbound buffer has no room: send and clear it, then read again.
  case wouldBlock
  /// The peer has ended its direction with close_notify; nothing more will come.
  case closeNotify
  /// The session is broken for good; the text says why, for people.
  case failed(String)
}

/// What came of a write.
package enum WriteStep: Hashable, Sendable {
  /// How many bytes were taken, at least one unless none were given.
  case bytes(Int)
  /// The outbound buffer is full; it must be sent and cleared first.
  case wouldBlock
  /// The session is broken for good; the text says why, for people.
  case failed(String)
}

/// OpenSSL could not make a session: memory is short.
package struct TLSError: Error, Hashable, Sendable {
  /// The call that failed.
  package var message: String
}
