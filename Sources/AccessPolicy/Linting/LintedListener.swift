/// What a configuration says of a listener, as far as rules can ask about it.
package struct LintedListener: Sendable {
  package var name: String
  package var upstream: String
  /// `tcp`, `postgres` or `mysql`.
  package var wireProtocol: String

  package init(name: String, upstream: String, wireProtocol: String) {
    self.name = name
    self.upstream = upstream
    self.wireProtocol = wireProtocol
  }
}

extension Field {
  /// The protocol in which clients say it of themselves; nil where it has nothing to do with one.
  var saidIn: String? {
    switch self {
    case .postgresUser, .postgresDatabase, .postgresApplication, .postgresReplication: "postgres"
    case .mysqlUser, .mysqlDatabase: "mysql"
    default: nil
    }
  }
}
