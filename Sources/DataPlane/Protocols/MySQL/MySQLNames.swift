package import AccessPolicy

/// The user and the database that a client names, in a handshake or in COM_CHANGE_USER.
///
/// They are judged as the server will read them: where it would read something else than is written, the name
/// is refused.
package struct MySQLNames: Hashable, Sendable {
  package let user: String
  /// Nil where none was named.
  package let database: String?

  /// Of MySQL: it cuts a longer user name ("Clip username to allowed length", sql_authentication.cc).
  static let maxUserCharacters = 32
  /// Of MariaDB, since 10.0.
  static let maxUserCharactersMariaDB = 80
  private static let maxDatabaseCharacters = 64

  package var facts: Facts {
    var facts = Facts()
    facts[.mysqlUser] = .text(user)
    facts[.mysqlDatabase] = database.map { .text($0) }
    return facts
  }

  /// - Parameter characterSet: the number of the collation that the client says it speaks.
  static func read(
    user: Range<Int>, database: Range<Int>?, characterSet: UInt16, _ bytes: Span<UInt8>
  ) throws(MySQLProblem) -> MySQLNames {
    let user = try text(user, "user", characterSet, bytes)
    // "If username starts and ends in "'", chop them off", say both servers.
    guard !(user.utf8.count > 1 && user.utf8.first == 0x27 && user.utf8.last == 0x27) else {
      throw MySQLProblem("the client's user name is in quotes, which the server would take off")
    }
    guard user.unicodeScalars.count <= maxUserCharactersMariaDB else {
      throw MySQLProblem("the client's user name is over \(maxUserCharactersMariaDB) characters")
    }
    var name: String?
    if let database, !database.isEmpty { name = try text(database, "database", characterSet, bytes) }
    guard (name?.unicodeScalars.count ?? 0) <= maxDatabaseCharacters else {
      throw MySQLProblem("the client's database name is over \(maxDatabaseCharacters) characters")
    }
    // The name of a folder as it is: another spelling of the same database.
    guard name?.utf8.starts(with: "#mysql50#".utf8) != true else {
      throw MySQLProblem("the client's database name is in the encoding of MySQL 5.0")
    }
    return MySQLNames(user: user, database: name)
  }

  private static func text(
    _ range: Range<Int>, _ what: String, _ characterSet: UInt16, _ bytes: Span<UInt8>
  ) throws(MySQLProblem) -> String {
    guard let text = bytes.text(range) else {
      throw MySQLProblem("the client's \(what) name is no UTF-8")
    }
    guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) }) else {
      throw MySQLProblem("the client's \(what) name holds a control character")
    }
    let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
    // The server converts names from the client's character set. ASCII is the same in each that it lets a
    // client have but swe7, which has letters in the place of some signs.
    guard isASCII ? !isSwe7(characterSet) : isUTF8(characterSet) else {
      throw MySQLProblem("the client's \(what) name is in the character set \(characterSet), not in UTF-8")
    }
    // Names are utf8mb3 in the server: others become question marks.
    guard text.unicodeScalars.allSatisfy({ $0.value <= 0xffff }) else {
      throw MySQLProblem("the client's \(what) name holds a character that no name has")
    }
    return text
  }

  private static func isSwe7(_ collation: UInt16) -> Bool { collation == 10 || collation == 82 }

  /// The numbers of utf8mb3 and utf8mb4 collations that MySQL and MariaDB have alike. MariaDB takes a number of
  /// MySQL 8, from 255 on, for latin1.
  private static func isUTF8(_ collation: UInt16) -> Bool {
    switch collation {
    case 33, 45, 46, 83, 192...211, 224...246: true
    default: false
    }
  }
}
