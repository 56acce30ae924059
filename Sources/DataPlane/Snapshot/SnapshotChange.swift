package import EventLoop

/// What a worker is told of a new snapshot: it adopts all of it at once.
package struct SnapshotChange: Sendable {
  /// A socket of a listener that is new, or that listens elsewhere now.
  package struct Opened: Sendable {
    package let listener: String
    package let socket: ListeningSocketBox
    package let mode: PollMode
    package let admission: Admission

    package init(listener: String, socket: ListeningSocketBox, mode: PollMode, admission: Admission) {
      self.listener = listener
      self.socket = socket
      self.mode = mode
      self.admission = admission
    }
  }

  package let snapshot: Snapshot
  /// The listeners that keep their sockets; all others are closed.
  package let kept: Set<String>
  package let opened: [Opened]
  /// What the upstreams' names resolve to, those at least that are new.
  package let resolutions: [UpstreamAddresses.Name: Resolution]
  /// Called on the worker's thread as soon as nothing of the old snapshot is used for new connections.
  package let adopted: @Sendable () -> Void

  package init(
    snapshot: Snapshot, kept: Set<String>, opened: [Opened] = [],
    resolutions: [UpstreamAddresses.Name: Resolution] = [:], adopted: @escaping @Sendable () -> Void = {}
  ) {
    self.snapshot = snapshot
    self.kept = kept
    self.opened = opened
    self.resolutions = resolutions
    self.adopted = adopted
  }
}
