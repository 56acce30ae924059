/// The word that someone most likely meant.
package enum NearestWord {
  /// Longer words are not compared: the distance takes time in the product of the lengths.
  private static let longest = 64

  /// - Returns: the word of the smallest distance, if at most a third of the letters differ.
  package static func find(_ word: String, among words: [String]) -> String? {
    let letters = Array(word.lowercased().unicodeScalars.prefix(longest + 1))
    guard !letters.isEmpty, letters.count <= longest else { return nil }
    var best: (word: String, distance: Int)?
    for candidate in words.prefix(1000) {
      let other = Array(candidate.lowercased().unicodeScalars.prefix(longest + 1))
      let bound = max(1, max(letters.count, other.count) / 3)
      guard other.count <= longest, abs(other.count - letters.count) <= bound else { continue }
      let distance = distance(letters, other)
      if distance <= bound, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.word
  }

  /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment distance).
  private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for i in left.indices {
      var row = [i + 1]
      for j in right.indices {
        let same = left[i] == right[j]
        var least = min(last[j] + (same ? 0 : 1), last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
          least = min(least, beforeLast[j - 1] + 1)
        }
        row.append(least)
      }
      (beforeLast, last) = (last, row)
    }
    return last[right.count]
  }
}
