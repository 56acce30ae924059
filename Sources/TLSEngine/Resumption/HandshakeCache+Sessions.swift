import AccessPolicy

/// Sessions that clients may resume; OpenSSL's own cache is one for all workers, under a lock, and knows no bounds
/// in bytes.
extension HandshakeCache {
  /// Keeps a session that its client may come back with.
  /// - Parameter bytes: of its certificates' DER together.
  func keep(_ kept: KeptSession, bytes: Int, at now: Timestamp) {
    sessions.trim { !$0.session.isResumable || $0.usable.upperBound <= now.seconds }
    guard let id = kept.session.id, kept.usable.contains(now.seconds) else { return }
    sessions.insert(kept, for: id, cost: Self.cost(ofSession: bytes))
  }

  /// Finds the session that a client names.
  /// - Returns: nil where it must prove itself again, which is no refusal: it just costs more.
  func session(
    _ id: CacheKey, verifier: ChainVerifier.Identity, serverName: String?, at now: Timestamp
  ) -> KeptSession? {
    guard let kept = sessions.find(id) else { return nil }
    guard kept.session.isResumable, kept.usable.contains(now.seconds) else {
      sessions.remove(id)
      return nil
    }
    guard kept.verifier == verifier, kept.serverName == serverName else { return nil }
    if kept.session.isSingleUse { sessions.remove(id) }
    return kept
  }

  /// OpenSSL keeps the certificates parsed: about 5 KB each, of which few have less than 500 octets.
  private static func cost(ofSession bytes: Int) -> Int { 2048 + 10 * bytes }
}
