/// What a parser makes of the bytes that have arrived so far. Parsers keep no state: with more bytes they are
/// asked again from the first one.
package enum WireStep<Value> {
  /// All right so far, and not all there.
  case incomplete
  /// The message, and how many bytes it took. What stands behind them belongs to the next reader.
  case complete(Value, length: Int)
  /// No further byte can make this a message; what is wrong with it, for the log.
  case invalid(String)
}

extension WireStep: Sendable where Value: Sendable {}
extension WireStep: Equatable where Value: Equatable {}
