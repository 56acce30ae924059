/// What a target says when the code under test broke a promise: libFuzzer keeps the input that led there.
package enum Invariant {
  /// Stops the run if `condition` does not hold.
  package static func hold(_ condition: Bool, _ promise: @autoclosure () -> String) {
    if !condition { fatalError("broken promise: \(promise())") }
  }
}
