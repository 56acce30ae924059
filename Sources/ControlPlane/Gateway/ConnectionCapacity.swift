/// How many connections the process can hold.
package enum ConnectionCapacity {
  /// Descriptors that are no connection's: standard streams, files, listeners, epoll, eventfds.
  private static let reserve = 128

  /// `max_connections` where nothing is configured: 10000, or fewer where the descriptors do not suffice for
  /// a client's and an upstream's socket each.
  /// - Parameter descriptors: the process's limit of open descriptors.
  package static func defaultLimit(descriptors: Int) -> Int {
    min(10_000, max(1, (descriptors - reserve) / 2))
  }
}
