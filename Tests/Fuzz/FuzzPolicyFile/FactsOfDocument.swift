import AccessPolicy

/// Connections that a document speaks of: values made from its own conditions, so that callers are mapped and rules
/// are met, which facts from nowhere would never do.
struct FactsOfDocument {
  let all: [Facts]

  init(_ document: PolicyDocument) {
    // At most a few of each: the work is their product.
    let callers = document.callers.prefix(4).map { Self.facts($0.match) }
    let rules = document.rules.prefix(6).map { Self.facts($0.when) }
    let exceptions = document.rules.prefix(6).map { Self.facts($0.unless) }
    // Neighbours together: only what two rules match can show which of them wins.
    let pairs = zip(rules, rules.dropFirst()).map { first, second in
      var both = second
      both.merge(first)
      return both
    }
    var all = [Facts()] + callers
    for caller in callers {
      for rule in rules + exceptions + pairs {
        var both = caller
        both.merge(rule)
        both[.listener] = both[.listener] ?? .text("orders-db")
        all.append(both)
      }
    }
    self.all = all
  }

  private static func facts(_ conditions: [Condition]) -> Facts {
    var facts = Facts()
    for condition in conditions {
      guard let value = condition.alternatives.first.flatMap({ text($0.value) }),
        let fact = Self.fact(value, condition.field)
      else { continue }
      facts[condition.field] = fact
    }
    return facts
  }

  /// Where a block stands for addresses, its first one.
  private static func fact(_ text: String, _ field: Field) -> FactValue? {
    if let fact = try? FactValue.parse([text], for: field) { return fact }
    let address = text.split(separator: "/", maxSplits: 1).first.map(String.init) ?? ""
    return try? FactValue.parse([address], for: field)
  }

  /// A text that the matcher is likely to accept.
  private static func text(_ matcher: ValueMatcher) -> String? {
    switch matcher {
    case .plain(let text): filled(text)
    case .glob(let text): text.replacing("*", with: "x")
    case .regex(let text), .prefix(let text), .suffix(let text): text
    case .cidr(let text): text.split(separator: "/").first.map(String.init)
    case .range(let min, let max): min ?? max
    case .present: "x"
    case .window: nil
    }
  }

  /// `{name}` becomes `w1`.
  private static func filled(_ text: String) -> String {
    var result = ""
    var inside = false
    for character in text {
      switch character {
      case "{": inside = true
      case "}" where inside:
        inside = false
        result += "w1"
      default: if !inside { result.append(character) }
      }
    }
    return result
  }
}
