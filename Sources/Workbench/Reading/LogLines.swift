/// A place in a log.
package struct LinePlace: Hashable, Sendable, Encodable {
  package var file: String
  /// Counted from 1.
  package var line: Int

  package init(file: String, line: Int) {
    self.file = file
    self.line = line
  }
}

/// Lines that cannot be read: counted, and the first ones told.
package struct UnreadableLines: Sendable, Encodable {
  package struct Example: Sendable, Encodable {
    package var file: String
    package var line: Int
    package var problem: String
  }

  static let toldLimit = 10

  package private(set) var count = 0
  /// Of these, records of verdicts.
  package private(set) var decisions = 0
  /// The first ones.
  package private(set) var first: [Example] = []

  mutating func add(_ place: LinePlace, _ problem: String, isDecision: Bool = false) {
    count += 1
    if isDecision { decisions += 1 }
    guard first.count < Self.toldLimit else { return }
    first.append(Example(file: place.file, line: place.line, problem: problem))
  }

  /// For people: the first ones, and how many more.
  package var text: String {
    var text = ""
    for example in first {
      text +=
        TerminalText.safe("\(example.file):\(example.line): warning: skipped: \(example.problem)") + "\n"
    }
    let more = count - first.count
    if more > 0 { text += "… and \(Plural.count(more, "more line", "more lines")) skipped\n" }
    return text
  }
}

/// The bytes of a line as records of a log are read: without a byte order mark at a file's beginning, without
/// the CR of a file that went through another system. Nil for an empty line.
package enum LogText {
  package static func content(_ line: ArraySlice<UInt8>, isFirst: Bool) -> ArraySlice<UInt8>? {
    var line = line
    if isFirst, line.starts(with: [0xef, 0xbb, 0xbf]) { line = line.dropFirst(3) }
    if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
    return line.isEmpty ? nil : line
  }
}

/// Text of strangers on its way to a terminal.
package enum TerminalText {
  /// What acts on a terminal instead of being seen is shown as an escape.
  package static func safe(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator:
        result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
