import EventLoop

/// Sums up what a flood of clients would otherwise write line by line: the first that meets a limit is told at once,
/// those that follow within a second are counted, and told as one. Of a source, where the limit is a source's.
///
/// Bounded: where very many sources meet a limit at one time, those beyond are counted together.
struct LimitSummaries<Sample> {
  struct Key: Hashable {
    var limit: String
    var listener: String
    var source: UInt128?
  }

  /// What is to be told of clients that were counted.
  struct Summary {
    var key: Key
    var count: Int
    /// One of them.
    var sample: Sample
  }

  private struct Entry {
    var end: MonotonicTime
    var count = 0
    var sample: Sample?
  }

  static var window: Duration { .seconds(1) }
  private static var maximum: Int { 64 }

  private var entries: [Key: Entry] = [:]
  /// A timer is set for the earliest end.
  private var isArmed = false

  init() {}

  /// Counts a client that met a limit.
  /// - Parameter sample: asked for where it may have to be told later.
  /// - Returns: whether this one is to be told at once.
  mutating func note(_ key: Key, at now: MonotonicTime, sample: () -> Sample) -> Bool {
    var key = key
    if entries[key] == nil, entries.count >= Self.maximum { key.source = nil }
    guard var entry = entries.removeValue(forKey: key) else {
      entries[key] = Entry(end: now + Self.window)
      return true
    }
    if entry.count == 0 { entry.sample = sample() }
    entry.count += 1
    entries[key] = entry
    return false
  }

  /// When to ask for ``due(at:)``; nil where that is known or there is nothing to ask for.
  mutating func arm() -> MonotonicTime? {
    guard !isArmed, let next = entries.values.map(\.end).min() else { return nil }
    isArmed = true
    return next
  }

  /// Takes out what was counted in seconds that are over.
  /// - Parameter now: nil stands for the end, at which everything is told.
  mutating func due(at now: MonotonicTime?) -> [Summary] {
    isArmed = false
    var summaries: [Summary] = []
    for (key, entry) in entries where now.map({ entry.end <= $0 }) ?? true {
      if let sample = entry.sample {
        summaries.append(Summary(key: key, count: entry.count, sample: sample))
      }
      // Who goes on is told once a second.
      let end = now.flatMap { entry.count > 0 ? $0 + Self.window : nil }
      entries[key] = end.map { Entry(end: $0) }
    }
    return summaries
  }
}
