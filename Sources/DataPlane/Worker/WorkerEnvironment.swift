package import AccessPolicy
package import AuditLog
package import EventLoop

/// What a worker is given from outside and shares with others; immutable.
package struct WorkerEnvironment: Sendable {
  package let audit: any AuditSink
  package let encoder: RecordEncoder
  /// Counts against the gateway's own `max_connections`.
  package let admission: Admission
  package let workerCount: Int
  package let clock: Clock
  package let postgresSessions = PostgresSessions()
  package let upstreams: UpstreamPools
  /// Asks for a name to be resolved again soon, after its addresses have failed.
  package let resolveAgain: @Sendable (UpstreamAddresses.Name) -> Void

  package init(
    audit: any AuditSink, encoder: RecordEncoder, admission: Admission, workerCount: Int,
    clock: Clock = .system, upstreams: UpstreamPools = UpstreamPools(),
    resolveAgain: @escaping @Sendable (UpstreamAddresses.Name) -> Void
  ) {
    self.audit = audit
    self.encoder = encoder
    self.admission = admission
    self.workerCount = workerCount
    self.clock = clock
    self.upstreams = upstreams
    self.resolveAgain = resolveAgain
  }

  /// A worker's part of a limit that is shared out: the kernel spreads new connections over the workers'
  /// sockets evenly enough, and a shared counter would not know which worker holds the oldest.
  package func share(of limit: Int) -> Int { max(1, (limit + workerCount - 1) / workerCount) }
}

/// Where a worker takes the time from.
package struct Clock: Sendable {
  /// For spans: deadlines, durations.
  package let monotonic: @Sendable () -> MonotonicTime
  /// For moments: certificates, rules, records.
  package let wall: @Sendable () -> Timestamp

  package init(
    monotonic: @escaping @Sendable () -> MonotonicTime, wall: @escaping @Sendable () -> Timestamp
  ) {
    self.monotonic = monotonic
    self.wall = wall
  }

  /// The machine's own clocks.
  package static let system = Clock(
    monotonic: { MonotonicTime.now() }, wall: { Timestamp(nanoseconds: wallClockNanoseconds()) })
}
