/// Counts in texts for people.
enum Plural {
  /// `1 record`, `2 records`.
  static func count(_ number: some BinaryInteger, _ one: String, _ many: String) -> String {
    "\(number) \(number == 1 ? one : many)"
  }
}
