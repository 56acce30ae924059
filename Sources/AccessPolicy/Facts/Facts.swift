/// One known value of a ``Field``. Which case a field uses follows from ``Field/kind``. Texts are the same byte by byte
/// alone (FactValue+Equality.swift).
package enum FactValue: Sendable {
  case text(String)
  case texts([String])
  case integer(Int)
  case flag(Bool)
  case instant(Timestamp)
  case address(IPAddress)
  case addresses([IPAddress])
}

/// A name in the certificate that cannot be read exactly, and so refuses the certificate.
package struct UnreadableName: Hashable, Sendable {
  /// Where it stands: `subject`, `san_dns`, …
  package var place: String
  /// What is wrong with it, such as `contains NUL`.
  package var problem: String

  package init(place: String, problem: String) {
    self.place = place
    self.problem = problem
  }
}

/// What is known of a connection: plain values, copied once, judged as often as needed.
///
/// Present values stand side by side in the order of their fields; a bit mask says which are there and its
/// population count where. A connection keeps its facts as long as it lives, so they are kept small.
package struct Facts: Hashable, Sendable {
  private var present: UInt64 = 0
  private var values: [FactValue] = []
  /// Names that refuse the certificate whatever a policy says.
  package var unreadableNames: [UnreadableName] = []

  package init() {}

  /// The value of a field, or nil where the connection has none.
  package subscript(field: Field) -> FactValue? {
    get { present & Self.bit(field) == 0 ? nil : values[position(field)] }
    set {
      let position = position(field)
      switch (present & Self.bit(field) != 0, newValue) {
      case (true, let value?): values[position] = value
      case (false, let value?):
        values.insert(value, at: position)
        present |= Self.bit(field)
      case (true, nil):
        values.remove(at: position)
        present &= ~Self.bit(field)
      case (false, nil): break
      }
    }
  }

  /// Every field that has a value, in the order of the enumeration.
  package var fields: [Field] { Field.allCases.filter { present & Self.bit($0) != 0 } }

  /// Adds what another set knows; where both know a field, the other's value stands.
  package mutating func merge(_ other: Facts) {
    for field in other.fields { self[field] = other[field] }
    unreadableNames += other.unreadableNames
  }

  private static func bit(_ field: Field) -> UInt64 { 1 << UInt64(field.rawValue) }

  private func position(_ field: Field) -> Int {
    (present & (Self.bit(field) &- 1)).nonzeroBitCount
  }
}
