import FuzzSupport
import Patterns

/// The first line as a glob, a capture pattern and a regular expression, the rest as the value of a stranger.
@main
enum FuzzPatterns {
  static func main() {
    runFuzzer { input in
      let texts = pieces(of: input, count: 2)
      checkGlob(texts[0], texts[1])
      for separator in [UInt8(ascii: "/"), UInt8(ascii: ".")] {
        checkCaptures(texts[0], texts[1], separator: separator)
      }
      checkRegex(texts[0], texts[1])
    }
  }
}

/// The matcher walks with two stars remembered; the definition itself is the judge.
private func checkGlob(_ text: String, _ value: String) {
  let glob = Glob(text)
  Invariant.hold((glob.literal == nil) == text.utf8.contains(UInt8(ascii: "*")), "literal of \(text)")
  let matches = glob.matches(value)
  if glob.literal != nil {
    Invariant.hold(matches == sameBytes(text, value), "the literal \(text) on \(value)")
  }
  guard text.utf8.count <= 48, value.utf8.count <= 96 else { return }
  Invariant.hold(
    matches == globHolds(Array(text.utf8), Array(value.utf8)), "the glob \(text) on \(value): \(matches)")
}

/// The definition of a glob as a table: row i tells which rests of the value the pattern from i on matches.
private func globHolds(_ glob: [UInt8], _ value: [UInt8]) -> Bool {
  let star = UInt8(ascii: "*")
  var row = (0...value.count).map { $0 == value.count }
  var index = glob.count
  while index > 0 {
    index -= 1
    var next = [Bool](repeating: false, count: value.count + 1)
    guard glob[index] == star else {
      for at in 0..<value.count { next[at] = value[at] == glob[index] && row[at + 1] }
      row = next
      continue
    }
    var across = false
    while index > 0, glob[index - 1] == star {
      index -= 1
      across = true
    }
    for at in stride(from: value.count, through: 0, by: -1) {
      let further = at < value.count && (across || value[at] != UInt8(ascii: "/")) && next[at + 1]
      next[at] = row[at] || further
    }
    row = next
  }
  return row[0]
}

/// A match puts the value together again, and no capture can pose as more than it is.
private func checkCaptures(_ text: String, _ value: String, separator: UInt8) {
  guard let template = try? CaptureTemplate(text) else { return }
  Invariant.hold(Set(template.names).count == template.names.count, "a name twice in \(text)")
  let braced = template.filled { "{\($0)}" }
  Invariant.hold(sameBytes(braced ?? "", text), "\(text) is not what its pieces say")
  guard let pattern = try? CapturePattern(template, separator: separator) else { return }
  guard let captures = pattern.match(value) else { return }
  let filled = template.filled { captures[$0] }
  Invariant.hold(sameBytes(filled ?? "", value), "\(text) on \(value) captured \(captures)")
  for (name, captured) in captures.pairs {
    Invariant.hold(!captured.isEmpty, "{\(name)} captured nothing")
    for scalar in captured.unicodeScalars {
      let control = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
      Invariant.hold(!control, "{\(name)} captured a control character")
      Invariant.hold(scalar != "/" && scalar != "*", "{\(name)} captured \(scalar)")
      Invariant.hold(scalar.value != UInt32(separator), "{\(name)} captured a segment's end")
    }
  }
}

/// Bounded whatever the pattern; captures are parts of the value; plain letters match themselves alone.
private func checkRegex(_ text: String, _ value: String) {
  guard let regex = try? BoundedRegex(text) else { return }
  let outcome = regex.match(value)
  if case .matched(let captures) = outcome {
    let bytes = Array(value.utf8)
    for (name, captured) in captures.pairs {
      Invariant.hold(regex.names.contains(name), "a group \(name) that the pattern does not have")
      Invariant.hold(contains(bytes, Array(captured.utf8)), "\(captured) is no part of \(value)")
    }
  }
  let isPlain = text.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) }
  if isPlain {
    Invariant.hold(
      (outcome != .notMatched) == sameBytes(text, value), "the plain pattern \(text) on \(value): \(outcome)")
  }
}

private func contains(_ whole: [UInt8], _ part: [UInt8]) -> Bool {
  guard part.count <= whole.count else { return false }
  return (0...(whole.count - part.count)).contains { whole[$0..<($0 + part.count)].elementsEqual(part) }
}
