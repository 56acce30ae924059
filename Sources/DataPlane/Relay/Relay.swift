import AccessPolicy

/// The right to move bytes, and what has been moved. Cannot be built without a ``Permit``.
struct Relay: ~Copyable {
  let permit: Permit
  var flow = RelayFlow()
  /// Plaintext from the client that went on to the upstream.
  var bytesFromClient: UInt64 = 0
  /// Plaintext from the upstream that went on to the client.
  var bytesFromUpstream: UInt64 = 0

  init(_ permit: consuming Permit) { self.permit = permit }

  mutating func count(_ bytes: Int, _ direction: RelayDirection) {
    switch direction {
    case .toUpstream: bytesFromClient &+= UInt64(clamping: bytes)
    case .toClient: bytesFromUpstream &+= UInt64(clamping: bytes)
    }
  }
}
