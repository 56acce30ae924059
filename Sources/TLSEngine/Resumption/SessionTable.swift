import AccessPolicy

/// The sessions that clients of a worker may resume, by their ids.
///
/// OpenSSL's own cache is one for all workers, under a lock, and knows no bounds in bytes. A client that connects
/// again and again without coming back fills its own share alone.
struct SessionTable {
  private let share: Int
  private var sessions: RecentlyUsed<CacheKey, KeptSession>
  /// The ids of each client's sessions, the oldest first.
  private var ids: [CacheKey: [CacheKey]] = [:]

  /// - Parameter share: the most sessions of one client.
  init(capacity: Int, budget: Int, share: Int) {
    self.share = max(1, share)
    sessions = RecentlyUsed(capacity: capacity, budget: budget)
  }

  var count: Int { sessions.count }

  /// Keeps a session that its client may come back with.
  mutating func keep(_ kept: KeptSession, at now: Timestamp) {
    while let last = sessions.last, last.value.isOver(at: now) { remove(last.key) }
    guard let id = kept.session.id, !kept.isOver(at: now), sessions.takes(cost: kept.cost) else { return }
    remove(id)
    if let own = ids[kept.client], own.count >= share { remove(own[0]) }
    for gone in sessions.insert(kept, for: id, cost: kept.cost) { forget(gone.key, of: gone.value.client) }
    ids[kept.client, default: []].append(id)
  }

  /// Finds the session that a client names.
  /// - Returns: nil where it must prove itself again, which is no refusal: it just costs more.
  mutating func take(
    _ id: CacheKey, verifier: ChainVerifier.Identity, serverName: String?, at now: Timestamp
  ) -> KeptSession? {
    guard let kept = sessions.find(id) else { return nil }
    guard !kept.isOver(at: now) else {
      remove(id)
      return nil
    }
    guard kept.verifier == verifier, kept.serverName == serverName else { return nil }
    if kept.session.isSingleUse { remove(id) }
    return kept
  }

  private mutating func remove(_ id: CacheKey) {
    if let kept = sessions.remove(id) { forget(id, of: kept.client) }
  }

  private mutating func forget(_ id: CacheKey, of client: CacheKey) {
    ids[client]?.removeAll { $0 == id }
    if ids[client]?.isEmpty == true { ids[client] = nil }
  }
}
