import Patterns

/// The names and groups that caller entries give, to be asked for by rules while they are compiled.
struct CallerNames {
  private let entries: [CompiledCaller]
  private var byName: [ExactText: [Int]] = [:]
  private var byGroup: [ExactText: [Int]] = [:]
  /// Names with captures, by the text before the first one.
  private var byPrefix = PrefixIndex()
  /// What names may look like: a capture is some text within a segment.
  private let shapes: [Glob]

  init(_ entries: [CompiledCaller]) {
    self.entries = entries
    shapes = entries.map(\.name.shape)
    for (position, entry) in entries.enumerated() {
      if let name = entry.name.literal {
        byName[ExactText(name), default: []].append(position)
      } else {
        byPrefix.insert(position, under: entry.name.literalPrefix)
      }
      for group in entry.groups { byGroup[ExactText(group), default: []].append(position) }
    }
  }

  var groups: [String] { byGroup.keys.map(\.text).sorted() }

  /// Whether an entry that holds gives a caller that the selector is about.
  func contains(_ selector: CallerSelector, where holds: (CompiledCaller) -> Bool = { _ in true }) -> Bool {
    switch selector {
    case .group(let group): return byGroup[group]?.contains { holds(entries[$0]) } ?? false
    case .glob(let glob):
      return entries.indices.contains { shapes[$0].overlaps(glob) && holds(entries[$0]) }
    case .name(let name):
      if byName[name]?.contains(where: { holds(entries[$0]) }) == true { return true }
      var hits: [Int] = []
      byPrefix.collect(name.text, into: &hits)
      return hits.contains { shapes[$0].matches(name.text) && holds(entries[$0]) }
    }
  }
}
