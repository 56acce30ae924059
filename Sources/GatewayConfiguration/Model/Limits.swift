/// Bounds on what clients may use up.
package struct Limits: Sendable, Hashable {
  /// Connections at one time; nil stands for the smaller of 10000 and what the descriptor limit allows.
  package var maxConnections: Int?
  /// Connections of one caller at one time; zero stands for no limit.
  package var maxConnectionsPerCaller: Int
  /// Unauthenticated connections at one time.
  package var maxHandshakes: Int
  /// One deadline over everything before the verdict.
  package var handshakeTimeout: Duration
  package var idleTimeout: Duration
  /// Zero stands for no limit.
  package var maxConnectionAge: Duration
  /// New connections of one source; nil: no limit.
  package var connectionRatePerSource: ConnectionRate?

  package init(
    maxConnections: Int? = nil, maxConnectionsPerCaller: Int = 0, maxHandshakes: Int = 512,
    handshakeTimeout: Duration = .seconds(10), idleTimeout: Duration = .seconds(3600),
    maxConnectionAge: Duration = .zero, connectionRatePerSource: ConnectionRate? = nil
  ) {
    self.maxConnections = maxConnections
    self.maxConnectionsPerCaller = maxConnectionsPerCaller
    self.maxHandshakes = maxHandshakes
    self.handshakeTimeout = handshakeTimeout
    self.idleTimeout = idleTimeout
    self.maxConnectionAge = maxConnectionAge
    self.connectionRatePerSource = connectionRatePerSource
  }
}

/// How many connections may begin in a span of time, and as many at once.
package struct ConnectionRate: Sendable, Hashable {
  /// At least one.
  package var count: Int
  package var period: Duration

  package init(count: Int, per period: Duration) {
    self.count = count
    self.period = period
  }
}
