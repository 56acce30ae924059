import Foundation

/// The time zones that one set of policies speaks of, each looked up once: the database is slow to ask, and
/// a hundred thousand rules may name the same zone.
final class ZoneTable {
  private var found: [String: TimeZone?] = [:]
  private lazy var known = Set(TimeZone.knownTimeZoneIdentifiers)

  /// - Returns: nil where the time zone database does not have the zone.
  func zone(_ name: String) -> TimeZone? {
    if let zone = found[name] { return zone }
    // Foundation takes abbreviations and offsets ("CET", "GMT+2") for zones too, without changes of the
    // clock; `Area/Place` is a zone of the database or nothing.
    let isZone = name == "UTC" || known.contains(name) || name.contains("/")
    let zone = isZone ? TimeZone(identifier: name) : nil
    found[name] = .some(zone)
    return zone
  }
}
