extension [Diagnostic] {
  /// - Parameter hint: what to do, where that can be said.
  mutating func error(
    _ code: String, at location: SourceLocation, _ message: String, hint: String? = nil
  ) {
    append(Diagnostic(.error, at: location, code: code, message: message, hint: hint))
  }

  /// - Parameter hint: what to do.
  mutating func warning(_ code: String, at location: SourceLocation, _ message: String, hint: String) {
    append(Diagnostic(.warning, at: location, code: code, message: message, hint: hint))
  }

  var hasErrors: Bool { contains { $0.severity == .error } }
}
