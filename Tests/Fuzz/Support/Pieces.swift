/// An input cut into texts at newlines: targets that judge a pattern against a value read both from one input,
/// and kept seeds stay readable. The last piece keeps its newlines.
package func pieces(of input: [UInt8], count: Int) -> [String] {
  let cut = input.split(separator: 0x0a, maxSplits: count - 1, omittingEmptySubsequences: false)
  let texts = cut.map { String(decoding: $0, as: UTF8.self) }
  return texts + Array(repeating: "", count: max(0, count - texts.count))
}

/// Whether two texts are the same bytes. `==` would hold for canonically equivalent ones too.
package func sameBytes(_ left: String, _ right: String) -> Bool {
  left.utf8.elementsEqual(right.utf8)
}
