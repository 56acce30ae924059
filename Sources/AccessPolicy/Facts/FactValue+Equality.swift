import Patterns

/// Texts are compared as the conditions of a policy compare them, byte by byte: Swift's own comparison takes "é" in one
/// scalar and in two for the same, and would give one certificate, or user of a database, the verdict of another.
extension FactValue: Hashable {
  package static func == (one: FactValue, other: FactValue) -> Bool {
    switch (one, other) {
    case (.text(let one), .text(let other)): one.isExactly(other)
    case (.texts(let one), .texts(let other)): one.isExactly(other)
    case (.integer(let one), .integer(let other)): one == other
    case (.flag(let one), .flag(let other)): one == other
    case (.instant(let one), .instant(let other)): one == other
    case (.address(let one), .address(let other)): one == other
    case (.addresses(let one), .addresses(let other)): one == other
    case (.text, _), (.texts, _), (.integer, _), (.flag, _), (.instant, _), (.address, _), (.addresses, _):
      false
    }
  }

  package func hash(into hasher: inout Hasher) {
    switch self {
    case .text(let text): hasher.combine(ExactText(text))
    case .texts(let texts): for text in texts { hasher.combine(ExactText(text)) }
    case .integer(let number): hasher.combine(number)
    case .flag(let flag): hasher.combine(flag)
    case .instant(let instant): hasher.combine(instant)
    case .address(let address): hasher.combine(address)
    case .addresses(let addresses): hasher.combine(addresses)
    }
  }
}
