/// How diagnostics speak, in one place.
enum Wording {
  /// The longest text that is shown whole.
  private static let shown = 80

  /// A text in quotes, printable and not too long, whatever it holds.
  static func quote(_ text: String) -> String {
    var out = "\""
    for (index, scalar) in text.unicodeScalars.enumerated() {
      if index == shown { return out + "…\"" }
      // The C0 and C1 controls and DEL would reach the terminal of whoever reads the message.
      let control = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
      out += control ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
    }
    return out + "\""
  }

  /// `a`, `a or b`, `a, b or c`.
  static func choice(_ words: [String], last: String = "or") -> String {
    guard words.count > 1, let end = words.last else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " \(last) \(end)"
  }

  /// The hint for a word that may be a mistyped one. Of words like `v1` and `1.2` each is near to each.
  static func likely(_ word: String, among words: [String]) -> String? {
    guard word.utf8.count > 3, let match = NearestWord.find(word, among: words) else { return nil }
    return "did you mean \(quote(match))?"
  }

  /// The hint for a word that is none of the valid ones.
  static func nearest(to word: String, among words: [String]) -> String? {
    if let match = NearestWord.find(word, among: words) { return "did you mean \(quote(match))?" }
    return words.isEmpty ? nil : "known here: \(words.prefix(24).joined(separator: ", "))"
  }
}
