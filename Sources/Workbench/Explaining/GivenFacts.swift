package import AccessPolicy
internal import GatewayConfiguration

/// What somebody says of a connection that never was: `--set FIELD=VALUE`, once for each value.
package enum GivenFacts {
  /// An assignment that cannot be taken, in words for the person who typed it.
  package struct Problem: Error, Hashable, Sendable {
    package var message: String
  }

  /// The fields that may be given: what no certificate says and no other argument names.
  package static let fields = Field.allCases.filter { refusal($0) == nil }

  /// - Returns: the facts; several values of one field add up.
  package static func parse(_ assignments: [String]) throws(Problem) -> Facts {
    var values: [Field: [String]] = [:]
    var order: [Field] = []
    for assignment in assignments {
      guard let equals = assignment.utf8.firstIndex(of: UInt8(ascii: "=")) else {
        throw Problem(message: "--set \(assignment): expected FIELD=VALUE, such as postgres_user=orders_ro")
      }
      let name = String(assignment[..<equals])
      let field = try field(name)
      if values[field] == nil { order.append(field) }
      values[field, default: []].append(String(assignment[assignment.utf8.index(after: equals)...]))
    }
    var facts = Facts()
    for field in order {
      do throws(FactSyntaxError) {
        facts[field] = try FactValue.parse(values[field] ?? [], for: field)
      } catch {
        throw Problem(message: "--set \(field.name): \(error.message)")
      }
    }
    return facts
  }

  private static func field(_ name: String) throws(Problem) -> Field {
    guard let field = Field(name: name) else {
      let nearest = NearestWord.find(name, among: fields.map(\.name))
      throw Problem(
        message: "--set \(name): there is no field '\(name)'; "
          + (nearest.map { "did you mean '\($0)'?" } ?? "the fields are listed in Policies/REFERENCE.md"))
    }
    if let refusal = refusal(field) { throw Problem(message: "--set \(name): \(refusal)") }
    return field
  }

  private static func refusal(_ field: Field) -> String? {
    if field.isCertified {
      return "the certificate says this; with another value it would not be this certificate"
    }
    switch field {
    case .time: return "give the moment by --at"
    case .listener, .upstream, .protocol: return "this follows from --listener"
    case .serverName: return "give the name by --server-name"
    case .sourceIP: return "give the address by --source-ip"
    default: return nil
    }
  }
}
