import ArgumentParser
import AuditLog
import ControlPlane
import Workbench

extension RecordedConnection {
  /// Finds a connection in an audit log, by any of its records.
  /// - Parameter id: an `event.id` or a `countersign.connection.id`.
  static func find(_ id: String, in log: String) throws -> RecordedConnection {
    var connection: String?
    var found: RecordedConnection?
    try visit(log, id) { (record) throws(RecordError) in
      let ofConnection = record["countersign", "connection", "id"]?.text
      guard record["event", "id"]?.text == id || ofConnection == id else { return true }
      connection = ofConnection
      found = try RecordedConnection.read(record)
      return found == nil
    }
    // The record is of the connection's end, or of something else: the verdict stands in another one.
    if found == nil, let connection, connection != id {
      try visit(log, connection) { (record) throws(RecordError) in
        guard record["countersign", "connection", "id"]?.text == connection else { return true }
        found = try RecordedConnection.read(record)
        return found == nil
      }
    }
    if let found { return found }
    throw CannotGoOn.because(
      connection == nil
        ? "\(log): no record has '\(id)' as event.id or countersign.connection.id"
        : "\(log): there is neither a verdict nor a failed handshake of the connection of '\(id)'; "
          + "is it in an older file?")
  }

  /// - Parameter body: returns whether to go on.
  private static func visit(
    _ log: String, _ text: String, _ body: (JSONValue) throws(RecordError) -> Bool
  ) throws {
    var problem: RecordError?
    do throws(FileProblem) {
      try ExplainingFiles.lines(of: log, with: text) { line in
        guard let record = try? JSONParser.parse(line) else { return true }
        do throws(RecordError) {
          return try body(record)
        } catch {
          problem = error
          return false
        }
      }
    } catch {
      throw CannotGoOn.because(error.message)
    }
    if let problem {
      throw CannotGoOn.because(
        "\(log): the record of '\(text)' cannot be read: \(problem.member) \(problem.message)")
    }
  }
}
