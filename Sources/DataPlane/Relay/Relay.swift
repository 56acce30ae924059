import AccessPolicy

/// The right to move bytes, and what has been moved. Cannot be built without a ``Permit``.
struct Relay: ~Copyable {
  private(set) var permit: Permit
  var flow = RelayFlow()
  /// What goes before the client's bytes has been said.
  var isOpen = false
  /// Plaintext from the client that went on to the upstream.
  var bytesFromClient: UInt64 = 0
  /// Plaintext from the upstream that went on to the client.
  var bytesFromUpstream: UInt64 = 0

  init(_ permit: consuming Permit) { self.permit = permit }

  /// The same bytes go on under another verdict.
  mutating func renew(_ permit: consuming Permit) { self.permit = permit }

  mutating func count(_ bytes: Int, _ direction: RelayDirection) {
    switch direction {
    case .toUpstream: bytesFromClient &+= UInt64(clamping: bytes)
    case .toClient: bytesFromUpstream &+= UInt64(clamping: bytes)
    }
  }
}
