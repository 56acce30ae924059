import Foundation

/// A ``TimeWindow`` with its time zone found.
struct CompiledWindow: Hashable, Sendable {
  let window: TimeWindow
  private let zone: TimeZone

  /// - Returns: nil where the time zone database does not have the zone.
  init?(_ window: TimeWindow, zones: ZoneTable) {
    guard let zone = zones.zone(window.zone) else { return nil }
    self.window = window
    self.zone = zone
  }

  /// Whether local time is within the window. A window over midnight belongs to the day it began on.
  func contains(_ instant: Timestamp) -> Bool {
    let local = instant.seconds + offset(at: instant)
    let day = Self.day(of: local)
    let minute = Int((local - day * 86400) / 60)
    // 1970-01-01 was a Thursday, ISO 8601 weekday 4.
    let weekday = Int(((day + 3) % 7 + 7) % 7) + 1
    let yesterday = weekday == 1 ? 7 : weekday - 1
    let after = window.after ?? 0
    let before = window.before ?? 1440
    if after < before { return holds(on: weekday) && (after..<before).contains(minute) }
    return (minute >= after && holds(on: weekday)) || (minute < before && holds(on: yesterday))
  }

  private func holds(on weekday: Int) -> Bool { window.days.isEmpty || window.days.contains(weekday) }

  /// When the window may begin or end next: a boundary of it, a midnight, or a change of the clock, behind
  /// which boundaries are to be asked for again. Never later than the next change.
  func nextBoundary(after instant: Timestamp) -> Timestamp {
    let offset = offset(at: instant)
    let local = instant.seconds + offset
    let midnight = Self.day(of: local) * 86400
    let boundaries = [0, (window.after ?? 0) * 60, (window.before ?? 1440) * 60, 86400]
    let next = boundaries.map { midnight + Int64($0) }.filter { $0 > local }.min() ?? midnight + 86400
    let boundary = Timestamp(seconds: next - offset)
    let date = Date(timeIntervalSince1970: Double(instant.seconds))
    guard let change = zone.nextDaylightSavingTimeTransition(after: date) else { return boundary }
    let seconds = change.timeIntervalSince1970
    guard seconds > Double(instant.seconds), seconds < Double(boundary.seconds) else { return boundary }
    return Timestamp(seconds: Int64(seconds))
  }

  private func offset(at instant: Timestamp) -> Int64 {
    Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant.seconds))))
  }

  private static func day(of local: Int64) -> Int64 { local >= 0 ? local / 86400 : (local - 86399) / 86400 }
}
