/// The capability flags of both sides (MySQL documentation, "Capabilities Flags").
package struct MySQLCapabilities: OptionSet, Hashable, Sendable {
  package let rawValue: UInt32

  package init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Also "I am MySQL": a MariaDB client or server without it has 32 more flags, which nobody has with it.
  package static let longPassword = MySQLCapabilities(rawValue: 1 << 0)
  package static let foundRows = MySQLCapabilities(rawValue: 1 << 1)
  package static let longFlag = MySQLCapabilities(rawValue: 1 << 2)
  package static let connectWithDatabase = MySQLCapabilities(rawValue: 1 << 3)
  package static let noSchema = MySQLCapabilities(rawValue: 1 << 4)
  package static let compress = MySQLCapabilities(rawValue: 1 << 5)
  package static let odbc = MySQLCapabilities(rawValue: 1 << 6)
  package static let localFiles = MySQLCapabilities(rawValue: 1 << 7)
  package static let ignoreSpace = MySQLCapabilities(rawValue: 1 << 8)
  package static let protocol41 = MySQLCapabilities(rawValue: 1 << 9)
  package static let interactive = MySQLCapabilities(rawValue: 1 << 10)
  package static let tls = MySQLCapabilities(rawValue: 1 << 11)
  package static let ignoreSIGPIPE = MySQLCapabilities(rawValue: 1 << 12)
  package static let transactions = MySQLCapabilities(rawValue: 1 << 13)
  package static let secureConnection = MySQLCapabilities(rawValue: 1 << 15)
  package static let multiStatements = MySQLCapabilities(rawValue: 1 << 16)
  package static let multiResults = MySQLCapabilities(rawValue: 1 << 17)
  package static let preparedMultiResults = MySQLCapabilities(rawValue: 1 << 18)
  package static let pluginAuthentication = MySQLCapabilities(rawValue: 1 << 19)
  package static let connectAttributes = MySQLCapabilities(rawValue: 1 << 20)
  package static let lengthEncodedAuthentication = MySQLCapabilities(rawValue: 1 << 21)
  package static let expiredPasswords = MySQLCapabilities(rawValue: 1 << 22)
  package static let sessionTrack = MySQLCapabilities(rawValue: 1 << 23)
  package static let deprecateEOF = MySQLCapabilities(rawValue: 1 << 24)
  package static let optionalMetadata = MySQLCapabilities(rawValue: 1 << 25)
  package static let zstd = MySQLCapabilities(rawValue: 1 << 26)
  package static let queryAttributes = MySQLCapabilities(rawValue: 1 << 27)
  package static let multiFactor = MySQLCapabilities(rawValue: 1 << 28)

  /// What the gateway's greeting shows. It is sent before any upstream is dialled, so it holds nothing that
  /// changes messages and that an upstream may lack: compression, DEPRECATE_EOF and SESSION_TRACK (MySQL 5.7,
  /// MariaDB 10.2, not all that speak the protocol), optional metadata and query attributes (MySQL 8 alone).
  package static let offered: MySQLCapabilities = [
    .longPassword, .foundRows, .longFlag, .connectWithDatabase, .noSchema, .odbc, .localFiles, .ignoreSpace,
    .protocol41, .interactive, .tls, .ignoreSIGPIPE, .transactions, .secureConnection, .multiStatements,
    .multiResults, .preparedMultiResults, .pluginAuthentication, .connectAttributes,
    .lengthEncodedAuthentication, .expiredPasswords,
  ]

  /// Without these there is no way to carry a client's authentication over to the upstream.
  package static let required: MySQLCapabilities = [.protocol41, .secureConnection, .pluginAuthentication]

  /// Of those offered: what a client that has them expects of the server's messages.
  package static let shapingMessages: MySQLCapabilities = [
    .longFlag, .transactions, .multiResults, .preparedMultiResults,
  ]
}
