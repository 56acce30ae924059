/// A place in a file that a person wrote.
package struct SourceLocation: Hashable, Sendable, Comparable, CustomStringConvertible {
  package var file: String
  /// Counted from 1; 0 stands for the file as a whole.
  package var line: Int
  /// Counted from 1, in characters; 0 stands for the line as a whole.
  package var column: Int

  package init(file: String, line: Int = 0, column: Int = 0) {
    self.file = file
    self.line = line
    self.column = column
  }

  package var description: String {
    if line == 0 { return file }
    return column == 0 ? "\(file):\(line)" : "\(file):\(line):\(column)"
  }

  package static func < (left: Self, right: Self) -> Bool {
    (left.file, left.line, left.column) < (right.file, right.line, right.column)
  }
}

/// A finding about what a person wrote: what is wrong, where, and what to do about it.
package struct Diagnostic: Hashable, Sendable {
  package enum Severity: String, Sendable { case error, warning }

  package var severity: Severity
  package var location: SourceLocation
  /// A stable name for programs, such as `unknown-key`.
  package var code: String
  /// What was found and what was expected, without a full stop.
  package var message: String
  /// What to do, where that can be said.
  package var hint: String?

  package init(
    _ severity: Severity, at location: SourceLocation, code: String, message: String, hint: String? = nil
  ) {
    self.severity = severity
    self.location = location
    self.code = code
    self.message = message
    self.hint = hint
  }
}

/// A value together with the place where it was written.
package struct Located<Value> {
  package var value: Value
  package var location: SourceLocation

  package init(_ value: Value, at location: SourceLocation) {
    self.value = value
    self.location = location
  }
}

extension Located: Sendable where Value: Sendable {}
extension Located: Equatable where Value: Equatable {}
