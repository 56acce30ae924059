internal import Glibc

/// What one accept did.
package enum AcceptStep: ~Copyable {
  case accepted(StreamSocket, from: NetworkAddress)
  /// Nobody waits any more.
  case wouldBlock
  /// This one connection failed before it was ours (it was aborted, or its network broke): take the next.
  case retry
  /// No descriptor or memory is left (EMFILE, ENFILE, ENOBUFS, ENOMEM): the connection still waits, and
  /// accepting again at once would spin. Wait until something was closed.
  case exhausted(SystemError)
  /// The listening socket itself is broken.
  case failed(SystemError)
}

extension AcceptStep {
  private static func classified(_ error: SystemError) -> AcceptStep {
    error.isExhaustion ? .exhausted(error) : .failed(error)
  }

  /// accept(2), ERRORS: Linux hands out pending network errors of the new socket as errors of accept, and
  /// says to treat these like EAGAIN by trying again.
  static func classified(_ code: Int32) -> AcceptStep {
    switch code {
    case EAGAIN:
      .wouldBlock
    case ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH,
      EOPNOTSUPP, ENETUNREACH, ETIMEDOUT:
      .retry
    default:
      classified(SystemError(call: "accept", code: code))
    }
  }
}
