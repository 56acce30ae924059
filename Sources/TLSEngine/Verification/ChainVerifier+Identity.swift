import Synchronization

extension ChainVerifier {
  /// Tells one verifier from all others that this process ever had; an address may be given out again.
  struct Identity: Hashable, Sendable {
    let number: UInt64

    static func next() -> Identity {
      Identity(number: last.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    private static let last = Atomic<UInt64>(0)
  }
}
