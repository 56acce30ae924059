import Patterns

/// A caller entry, ready to be asked.
struct CompiledCaller: Sendable {
  let name: CaptureTemplate
  let location: SourceLocation
  let groups: [String]
  let conditions: [CompiledCondition]

  /// Every reading of a certificate is followed, and each must give the same name: a certificate with two
  /// names may not choose the better one.
  static let readingLimit = 64

  /// What one entry says of a connection.
  enum Outcome {
    /// The position of the condition that failed; nil where all hold, but what they captured contradicts.
    case failed(Int?)
    case named(Caller)
    case ambiguous([String])
    /// The position of the condition of which nobody knows.
    case limitExceeded(Int)
  }

  /// Asks the conditions in the order in which they were written. One that fails settles it, whatever is not
  /// known of the others.
  func evaluate(_ situation: Situation) -> Outcome {
    var readings = [Captures()]
    var unknown: Int?
    var isCrowded = false
    for (position, condition) in conditions.enumerated() {
      guard let found = condition.matches(situation) else {
        unknown = unknown ?? position
        continue
      }
      guard !found.isEmpty else { return .failed(position) }
      // So many readings are not followed any further: every one of them captured something else.
      isCrowded = isCrowded || readings.count > Self.readingLimit || found.count > Self.readingLimit
      if isCrowded { continue }
      readings = Self.combine(readings, found)
      guard !readings.isEmpty else { return .failed(nil) }
    }
    if let unknown { return .limitExceeded(unknown) }
    if isCrowded { return .ambiguous([name.written]) }
    let names = names(readings)
    guard readings.count == 1, let name = names.first else {
      return names.isEmpty ? .failed(nil) : .ambiguous(names)
    }
    let captures = Dictionary(readings[0].pairs.map { ($0.name, $0.value) }) { first, _ in first }
    return .named(Caller(name: name, groups: groups, captures: captures))
  }

  private func names(_ readings: [Captures]) -> [String] {
    readings.compactMap { reading in name.filled { reading[$0] } }
  }

  /// Every pair of readings that do not contradict each other.
  private static func combine(_ left: [Captures], _ right: [Captures]) -> [Captures] {
    var combined: [Captures] = []
    for first in left {
      for second in right {
        var both = first
        guard second.pairs.allSatisfy({ both.add($0.name, $0.value) }), !combined.contains(both) else {
          continue
        }
        combined.append(both)
      }
    }
    return combined
  }
}
