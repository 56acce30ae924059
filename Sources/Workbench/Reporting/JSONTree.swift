package import AccessPolicy

/// A JSON document in the making: unlike a struct that is encoded, an unknown value stays as `null`, so that
/// programs always find the same members.
package indirect enum JSONTree: Encodable, Hashable, Sendable {
  case object([String: JSONTree])
  case array([JSONTree])
  case text(String)
  case integer(Int)
  case number(Double)
  case flag(Bool)
  case null

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .object(let members): try container.encode(members)
    case .array(let elements): try container.encode(elements)
    case .text(let text): try container.encode(text)
    case .integer(let number): try container.encode(number)
    case .number(let number): try container.encode(number)
    case .flag(let flag): try container.encode(flag)
    case .null: try container.encodeNil()
    }
  }

  package static func text(_ text: String?) -> JSONTree { text.map { JSONTree.text($0) } ?? .null }

  package static func integer(_ number: Int?) -> JSONTree { number.map { JSONTree.integer($0) } ?? .null }

  package static func texts(_ texts: [String]) -> JSONTree { .array(texts.map { JSONTree.text($0) }) }

  /// The members `file`, `line` and `column`; null for a file as a whole.
  package static func place(_ location: SourceLocation?) -> [String: JSONTree] {
    [
      "file": .text(location?.file), "line": .integer(location.flatMap { $0.line == 0 ? nil : $0.line }),
      "column": .integer(location.flatMap { $0.column == 0 ? nil : $0.column }),
    ]
  }
}

extension JSONTree {
  /// The member `findings` of every report: `line` and `column` are null for a file as a whole.
  package static func findings(_ findings: [Diagnostic]) -> JSONTree {
    .array(
      findings.map { finding in
        .object(
          [
            "severity": .text(finding.severity.rawValue), "code": .text(finding.code),
            "message": .text(finding.message), "hint": .text(finding.hint),
          ].merging(place(finding.location)) { first, _ in first })
      })
  }
}

extension FactValue {
  /// Numbers and flags as such, everything else as people write it.
  package var json: JSONTree {
    switch self {
    case .text(let text): .text(text)
    case .integer(let number): .integer(number)
    case .flag(let flag): .flag(flag)
    case .instant, .address: .text(texts.first)
    case .texts, .addresses: .texts(texts)
    }
  }
}
