package import AccessPolicy
package import EventLoop
package import GatewayConfiguration
import Synchronization

/// Holds the connections of each source to a rate, over all workers. A worker takes its lock once per accepted
/// connection, and only where there is a rate.
package final class SourceRates: Sendable {
  private let table: Mutex<SourceTable>

  /// - Parameter capacity: how many sources are known apart at one time.
  package init(capacity: Int = 65_536) { table = Mutex(SourceTable(capacity: capacity)) }

  /// Counts a new connection of a source, unless it has used up what the rate allows.
  package func take(_ source: IPAddress, _ rate: ConnectionRate, at now: MonotonicTime) -> Bool {
    table.withLock { $0.take(source.sourceKey, rate, at: now.nanoseconds) }
  }

  /// A connection that was counted has not come about.
  package func giveBack(_ source: IPAddress, _ rate: ConnectionRate) {
    table.withLock { $0.giveBack(source.sourceKey, rate) }
  }

  /// How many sources are known apart now.
  package var sources: Int { table.withLock { $0.count } }
}

extension IPAddress {
  /// Who counts as one: a client owns a /64 of IPv6 (RFC 6177), and an address of IPv4.
  var sourceKey: UInt128 { family == .v4 ? bits | (0xffff << 32) : (bits >> 64) << 64 }
}

/// A token bucket for each source, kept as the one moment at which it will be full again (the theoretical arrival
/// time of the generic cell rate algorithm, ITU-T I.371): one that is full is the same as none.
///
/// A bucket fills within one period of its rate, so one that was not touched for a period need not be kept. Two
/// generations hold those of the present period and those of the one before, and the older goes as a whole: nothing
/// is searched, and no source is forgotten while it owes anything. Where the table is full, further sources share
/// buckets by a hash that nobody outside can foretell: an attacker in many networks meets the rate all the same, and
/// does not shut out all others.
struct SourceTable {
  private static let sharedBuckets = 4096

  private let capacity: Int
  private var recent: [UInt128: Int64] = [:]
  private var older: [UInt128: Int64] = [:]
  /// Empty until the table was full for the first time.
  private var shared: [Int64] = []
  private var generationEnd = Int64.min

  init(capacity: Int) { self.capacity = capacity }

  var count: Int { recent.count + older.count }

  /// - Parameter now: nanoseconds of the monotonic clock.
  mutating func take(_ key: UInt128, _ rate: ConnectionRate, at now: Int64) -> Bool {
    startGeneration(of: rate, at: now)
    let interval = rate.interval
    let depth = interval * Int64(rate.count)
    let known = fullAt(key)
    // Whatever another rate let the bucket owe, it is never emptier than empty.
    let full = min(max(known, now), now + depth)
    guard full + interval <= now + depth else {
      if full < known { store(full, of: key) }
      return false
    }
    store(full + interval, of: key)
    return true
  }

  mutating func giveBack(_ key: UInt128, _ rate: ConnectionRate) {
    // Whoever was slow to give it back finds that it is forgotten, and so is what was taken.
    let (full, isUnknown) = fullAt(key).subtractingReportingOverflow(rate.interval)
    if !isUnknown { store(full, of: key) }
  }

  private mutating func startGeneration(of rate: ConnectionRate, at now: Int64) {
    guard generationEnd <= now else { return }
    older = recent
    recent = [:]
    generationEnd = now + rate.period.nanoseconds
  }

  /// A source that had to share a bucket keeps what it owes there when it gets one of its own.
  private func fullAt(_ key: UInt128) -> Int64 {
    recent[key] ?? older[key] ?? (shared.isEmpty ? .min : shared[sharedIndex(key)])
  }

  private mutating func store(_ full: Int64, of key: UInt128) {
    if recent[key] != nil || older.removeValue(forKey: key) != nil || count < capacity {
      recent[key] = full
    } else {
      if shared.isEmpty { shared = Array(repeating: .min, count: Self.sharedBuckets) }
      shared[sharedIndex(key)] = full
    }
  }

  /// `Hasher` has a seed of its own in each process.
  private func sharedIndex(_ key: UInt128) -> Int {
    Int(bitPattern: UInt(bitPattern: key.hashValue) % UInt(Self.sharedBuckets))
  }
}

extension ConnectionRate {
  /// Nanoseconds after which one more may begin.
  fileprivate var interval: Int64 { max(1, period.nanoseconds / Int64(max(1, count))) }
}

extension Duration {
  /// Of a period that the configuration knows: at most an hour.
  fileprivate var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}
