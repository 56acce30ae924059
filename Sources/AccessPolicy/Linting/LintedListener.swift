/// What a configuration says of a listener, as far as rules can ask about it.
package struct LintedListener: Sendable {
  package var name: String
  package var upstream: String
  /// `tcp`, `postgres` or `mysql`.
  package var wireProtocol: String
  /// The labels of the trust anchors of the listener and its hosts.
  package var trustLabels: [String]

  package init(name: String, upstream: String, wireProtocol: String, trustLabels: [String] = []) {
    self.name = name
    self.upstream = upstream
    self.wireProtocol = wireProtocol
    self.trustLabels = trustLabels
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
