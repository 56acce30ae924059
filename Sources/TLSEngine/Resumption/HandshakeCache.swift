import AccessPolicy
import COpenSSL

/// What a worker remembers of the handshakes it has done, so that the next of the same client costs less.
///
/// A verdict over a list of certificates is kept under the hash of the whole list and under who verified it, so that
/// no other host, trust set or snapshot finds it, and for no longer than time leaves it alone. Refusals are not
/// kept: they cost an attacker a handshake each, and they are read anew. Possession of the key is proven in each
/// handshake (CertificateVerify), whatever is remembered.
///
/// Confined to the worker's thread, hence without a lock. Bounded: who sends ever new certificates has them
/// verified, as without the cache, and drives out what was not used for longest.
package final class HandshakeCache {
  /// Entries and bytes; for a worker.
  package struct Bounds: Sendable {
    package var chains = 4096
    package var chainBytes = 8 << 20
    package var sessions = 2048
    package var sessionBytes = 16 << 20
    package var sessionsOfClient = 64

    /// What a gateway uses.
    package init() {}
  }

  private let bounds: Bounds
  private var chains: RecentlyUsed<ChainKey, ChainJudgement>
  var sessions: SessionTable

  /// An empty cache.
  package init(_ bounds: Bounds = Bounds()) {
    self.bounds = bounds
    chains = Self.chains(bounds)
    sessions = Self.sessions(bounds)
  }

  /// Forgets everything. Live connections hold the cache, so that another in its place would leave this one, with
  /// all that it keeps, to the last of them.
  package func forget() {
    chains = Self.chains(bounds)
    sessions = Self.sessions(bounds)
  }

  private static func chains(_ bounds: Bounds) -> RecentlyUsed<ChainKey, ChainJudgement> {
    RecentlyUsed(capacity: bounds.chains, budget: bounds.chainBytes)
  }

  private static func sessions(_ bounds: Bounds) -> SessionTable {
    SessionTable(capacity: bounds.sessions, budget: bounds.sessionBytes, share: bounds.sessionsOfClient)
  }

  /// How often a kept verdict served.
  package private(set) var chainHits = 0
  /// How many verdicts are kept.
  package var chainCount: Int { chains.count }
  /// How many sessions may be resumed.
  package var sessionCount: Int { sessions.count }

  /// Comes to what `verifier` would come to now.
  /// - Parameters:
  ///   - leaf: `X509`; lent.
  ///   - presented: `STACK_OF(X509)`: everything that the client sent, the leaf first; lent.
  func judge(
    leaf: OpaquePointer, presented: OpaquePointer?, by verifier: ChainVerifier, at now: Timestamp
  ) -> ChainJudgement {
    guard let digest = unsafe PresentedDigest(leaf: leaf, presented: presented) else {
      return unsafe verifier.judge(leaf: leaf, presented: presented, at: now)
    }
    let key = ChainKey(presented: digest, verifier: verifier.identity)
    if let kept = chains.find(key) {
      if kept.stands(at: now) {
        chainHits += 1
        return kept
      }
      chains.remove(key)
    }
    var judgement = unsafe verifier.judge(leaf: leaf, presented: presented, at: now)
    judgement.presented = digest
    judgement.holds = unsafe verifier.steadySeconds(of: judgement.outcome, presented: presented, at: now)
    if judgement.stands(at: now) {
      judgement.isKept = true
      chains.insert(judgement, for: key, cost: Self.cost(ofChain: digest.bytes))
    }
    return judgement
  }

  /// The facts of a leaf take more room than its DER: a name of one letter takes 3 octets there, a string 16.
  private static func cost(ofChain bytes: Int) -> Int { 1024 + 8 * bytes }
}

/// A cache belongs to one thread.
@available(*, unavailable)
extension HandshakeCache: Sendable {}
