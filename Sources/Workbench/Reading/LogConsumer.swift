/// What takes in audit logs line by line.
package protocol LogConsumer {
  /// - Parameter line: a line without its end.
  mutating func feed(_ line: ArraySlice<UInt8>, at place: LinePlace)

  /// A line that is longer than any record.
  mutating func feedOversized(at place: LinePlace)

  /// Records so far, also those that this version cannot read: a file that adds none is no audit log.
  var records: Int { get }

  /// Whether more lines would be of no use.
  var isOverfull: Bool { get }
}
