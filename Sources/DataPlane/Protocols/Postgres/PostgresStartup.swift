package import AccessPolicy

/// The StartupMessage: who wants to be whom, in which database.
///
/// It is judged by what the server will make of it, so whatever the server would read in another way than it
/// is written (names cut at 63 bytes, the last of two values) is refused.
package struct PostgresStartup: Hashable, Sendable {
  package enum Replication: String, Hashable, Sendable {
    /// Of the whole cluster: the server looks at no database.
    case physical = "true"
    /// Of one database; such a connection takes the commands of physical replication all the same.
    case logical = "database"
  }

  package let minorVersion: UInt16
  package let user: String
  package let database: String
  package let application: String?
  package let replication: Replication?
  /// The whole message as it came, to be passed on.
  package let message: [UInt8]

  /// NAMEDATALEN of the server, less its terminator.
  package static let maxNameLength = 63

  /// What policies and records know of it. Physical replication is no business of a database: a rule that
  /// allows one must not open all of them.
  package var facts: Facts {
    var facts = Facts()
    facts[.postgresUser] = .text(user)
    if replication != .physical { facts[.postgresDatabase] = .text(database) }
    facts[.postgresApplication] = application.map { .text($0) }
    facts[.postgresReplication] = replication.map { .text($0.rawValue) }
    return facts
  }

  struct Problem: Error {
    let text: String

    init(_ text: String) { self.text = text }
  }

  /// - Parameter length: of the message, which is all there.
  static func read(_ bytes: Span<UInt8>, length: Int, version: UInt32) -> Result<PostgresStartup, Problem> {
    do throws(Problem) {
      let parameters = try parameters(bytes, 8..<length)
      guard let user = try parameters.name("user", bytes) else {
        throw Problem("the startup message names no user")
      }
      return .success(
        PostgresStartup(
          minorVersion: UInt16(truncatingIfNeeded: version), user: user,
          database: try parameters.name("database", bytes) ?? user,
          application: try parameters.text("application_name", bytes),
          replication: try replication(parameters.text("replication", bytes)), message: bytes.copy(0..<length)
        ))
    } catch {
      return .failure(error)
    }
  }

  private static func parameters(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(Problem) -> Parameters {
    var cursor = WireCursor(range, of: bytes)
    var parameters = Parameters()
    while true {
      guard let name = cursor.takeZeroTerminated(bytes) else {
        throw Problem("the startup message has no end")
      }
      if name.isEmpty { break }
      guard let value = cursor.takeZeroTerminated(bytes) else {
        throw Problem("the startup message has a parameter without a value")
      }
      try parameters.add(name, value, bytes)
    }
    guard cursor.isAtEnd else { throw Problem("the startup message goes on behind its end") }
    return parameters
  }

  /// As the server reads it: `database`, or what its parse_bool takes, which is any beginning of a word that
  /// is no other's, in letters of either case.
  static func replication(_ value: String?) throws(Problem) -> Replication? {
    guard let value else { return nil }
    if value.utf8.elementsEqual("database".utf8) { return .logical }
    let lower = value.utf8.map { (65...90).contains($0) ? $0 | 0x20 : $0 }
    guard !lower.isEmpty else { throw Problem("the startup message has an empty 'replication'") }
    func begins(_ word: String, from least: Int = 1) -> Bool {
      lower.count >= least && word.utf8.starts(with: lower)
    }
    if begins("true") || begins("yes") || begins("on", from: 2) || begins("1") { return .physical }
    if begins("false") || begins("no") || begins("off", from: 2) || begins("0") { return nil }
    throw Problem("the startup message has a 'replication' that is neither a boolean nor 'database'")
  }
}

/// Where the parameters of one message stand in it.
private struct Parameters {
  private var values: [[UInt8]: Range<Int>] = [:]

  /// Refuses a second parameter of the same name. The server tells `user` from `User`, which it takes for a
  /// setting; settings have no case: two spellings of one are doubles too.
  mutating func add(_ name: Range<Int>, _ value: Range<Int>, _ bytes: Span<UInt8>) throws(PostgresStartup
    .Problem)
  {
    let written = bytes.copy(name)
    let lower = written.map { (65...90).contains($0) ? $0 | 0x20 : $0 }
    guard values.updateValue(value, forKey: lower) == nil else {
      throw PostgresStartup.Problem("the startup message has a parameter twice")
    }
    let own = ["user", "database", "options", "replication"].contains { $0.utf8.elementsEqual(lower) }
    guard !own || lower == written else {
      throw PostgresStartup.Problem("the startup message has one of its own parameters in capitals")
    }
  }

  func text(_ name: String, _ bytes: Span<UInt8>) throws(PostgresStartup.Problem) -> String? {
    guard let range = values[Array(name.utf8)] else { return nil }
    guard let text = bytes.text(range) else {
      throw PostgresStartup.Problem("the startup message has a '\(name)' that is no UTF-8")
    }
    return text
  }

  /// The name of a user or database; nil where it is absent or empty, which the server takes for absent.
  func name(_ name: String, _ bytes: Span<UInt8>) throws(PostgresStartup.Problem) -> String? {
    guard let text = try text(name, bytes), !text.isEmpty else { return nil }
    guard text.utf8.count <= PostgresStartup.maxNameLength else {
      throw PostgresStartup.Problem("the '\(name)' of the startup message is over 63 bytes")
    }
    guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) }) else {
      throw PostgresStartup.Problem("the '\(name)' of the startup message holds a control character")
    }
    return text
  }
}
