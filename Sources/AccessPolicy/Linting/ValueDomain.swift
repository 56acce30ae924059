import Patterns

/// The values that a field can have, where there are few, they have bounds, or they are written in one way.
struct ValueDomain {
  private enum Values {
    case any
    case texts([String])
    case numbers(ClosedRange<Int>)
    /// There is never a value.
    case none
    /// Which texts there are is not for this project to say, but how they are written is.
    case spelled(@Sendable (String) -> Bool)
  }

  /// What the field can be, for a person.
  let hint: String
  private let values: Values

  /// - Parameter listeners: all of them; nil where nobody knows them.
  init(_ field: Field, listeners: [LintedListener]?) {
    values =
      switch field {
      case .tlsVersion: .texts(["1.2", "1.3"])
      case .tlsCipher: .texts(TLSNames.ciphers)
      case .tlsGroup: .spelled(TLSNames.isGroup)
      case .keyType: .spelled(TLSNames.isKeyType)
      case .eku: .spelled(ExtendedKeyUsage.isWritten)
      case .protocol: .texts(["tcp", "postgres", "mysql"])
      case .listener: listeners.map { .texts($0.map(\.name)) } ?? .any
      case .upstream: listeners.map { .texts(Set($0.map(\.upstream)).sorted()) } ?? .any
      case .trustLabel: listeners.map(Self.labels) ?? .any
      case .sourcePort, .clientPort: .numbers(1...65535)
      case .keyBits: .numbers(1...Int.max)
      // The client's certificate, four intermediates and the anchor.
      case .chainLength: .numbers(1...6)
      default: .any
      }
    hint = Self.hint(field, values)
  }

  private static func labels(_ listeners: [LintedListener]) -> Values {
    let labels = Set(listeners.flatMap(\.trustLabels)).sorted()
    return labels.isEmpty ? .none : .texts(labels)
  }

  private static func hint(_ field: Field, _ values: Values) -> String {
    switch values {
    case .any: "\(field.name) is any value"
    case .texts(let texts): "\(field.name) is one of: \(texts.joined(separator: ", "))"
    case .numbers(let range) where range.upperBound == .max:
      "\(field.name) is at least \(range.lowerBound)"
    case .numbers(let range): "\(field.name) is from \(range.lowerBound) to \(range.upperBound)"
    case .none: "\(field.name) is the label of a client_ca, and none has one"
    case .spelled where field == .eku:
      "eku is one of \(ExtendedKeyUsage.names.joined(separator: ", ")), or the dotted OID of another usage"
    case .spelled where field == .keyType:
      "key_type is in small letters: \(TLSNames.keyTypes.joined(separator: ", "))"
    case .spelled: "\(field.name) is written as \(TLSNames.groups.joined(separator: ", "))"
    }
  }

  func allows(_ matcher: Matcher) -> Bool {
    switch (values, matcher) {
    case (.any, _): true
    case (.none, .present(let expected)): !expected
    case (.none, _): false
    case (_, .present), (_, .template): true
    case (.texts(let texts), _): texts.contains { matcher.couldAccept($0) }
    case (.numbers(let possible), .integers(let range)): possible.overlaps(range)
    case (.spelled(let isWritten), .literal(let text)): isWritten(text)
    case (.numbers, _), (.spelled, _): true
    }
  }
}

extension Matcher {
  fileprivate func couldAccept(_ text: String) -> Bool {
    if case .notMatched = match(text: text) { false } else { true }
  }
}
