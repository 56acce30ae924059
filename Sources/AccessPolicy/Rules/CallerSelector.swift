import Patterns

/// One item of a rule's `callers`.
enum CallerSelector: Hashable, Sendable {
  case name(ExactText)
  case group(ExactText)
  case glob(Glob)

  init(_ text: String) {
    if text.utf8.starts(with: "group:".utf8) {
      self = .group(ExactText(String(decoding: text.utf8.dropFirst(6), as: UTF8.self)))
      return
    }
    let glob = Glob(text)
    self = glob.literal.map { .name(ExactText($0)) } ?? .glob(glob)
  }

  func selects(_ caller: Caller) -> Bool {
    switch self {
    case .name(let name): name.text.isExactly(caller.name)
    case .group(let group): caller.groups.contains { group.text.isExactly($0) }
    case .glob(let glob): glob.matches(caller.name)
    }
  }
}
