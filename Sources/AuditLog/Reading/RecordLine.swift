/// A line of a log, whoever wrote it.
package enum RecordLine: Hashable, Sendable {
  case decision(RecordedDecision)
  /// A record of something else; nil where this version does not know the action.
  case other(AuditAction?)
  /// Why a record of a verdict cannot be read: another version wrote it, or it was damaged.
  case unreadableDecision(String)
  /// Why it is no record.
  case unreadable(String)

  /// - Parameter line: a line without its end.
  package static func read(_ line: ArraySlice<UInt8>) -> RecordLine {
    do throws(JSONError) {
      let record = try JSONParser.parse(line)
      guard let action = record["event", "action"]?.text else {
        return .unreadable("no record of an audit log: it has no event.action")
      }
      do throws(RecordError) {
        if let decision = try RecordedDecision.read(record) { return .decision(decision) }
        return .other(AuditAction(rawValue: action))
      } catch {
        return .unreadableDecision("\(error.member) \(error.message)")
      }
    } catch {
      return .unreadable("not JSON: \(error.message) at byte \(error.offset + 1)")
    }
  }
}
