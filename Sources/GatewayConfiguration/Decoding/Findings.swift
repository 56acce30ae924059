import AccessPolicy

/// Collects everything that is wrong with one file. A reader goes on after an error, so that a person
/// sees all of them at once.
final class Findings {
  /// A file of nothing but errors would fill the memory with words.
  static let maximum = 1000

  let file: String
  private(set) var hasErrors = false
  private var collected: [Diagnostic] = []
  private var dropped = 0

  init(file: String) { self.file = file }

  var wholeFile: SourceLocation { SourceLocation(file: file) }

  func error(
    at mark: YAMLMark, _ code: String, _ message: @autoclosure () -> String,
    hint: @autoclosure () -> String? = nil
  ) {
    error(at: mark.location(in: file), code, message(), hint: hint())
  }

  // The words are made only where they are kept: the nearest key takes longer to find than the mistake.
  func error(
    at location: SourceLocation, _ code: String, _ message: @autoclosure () -> String,
    hint: @autoclosure () -> String? = nil
  ) {
    hasErrors = true
    guard hasRoom() else { return }
    collected.append(Diagnostic(.error, at: location, code: code, message: message(), hint: hint()))
  }

  func warning(at location: SourceLocation, _ code: String, _ message: String, hint: String) {
    guard hasRoom() else { return }
    collected.append(Diagnostic(.warning, at: location, code: code, message: message, hint: hint))
  }

  /// Every finding in the order of the file.
  var diagnostics: [Diagnostic] {
    // The sort is not stable; the position decides between findings of one place.
    let sorted = collected.enumerated()
      .sorted { ($0.element.location, $0.offset) < ($1.element.location, $1.offset) }
      .map(\.element)
    guard dropped > 0 else { return sorted }
    return sorted + [
      Diagnostic(
        .error, at: wholeFile, code: "too-many-findings",
        message: "\(dropped) further findings are not shown",
        hint: "begin with the first one")
    ]
  }

  private func hasRoom() -> Bool {
    if collected.count < Self.maximum { return true }
    dropped += 1
    return false
  }
}
