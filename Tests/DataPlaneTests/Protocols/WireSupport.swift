@testable import DataPlane

extension WireStep {
  /// The value and its length, where a message was complete.
  var completed: (value: Value, length: Int)? {
    if case .complete(let value, let length) = self { (value, length) } else { nil }
  }

  var isIncomplete: Bool { if case .incomplete = self { true } else { false } }

  var problem: String? { if case .invalid(let problem) = self { problem } else { nil } }
}

/// The lengths of all proper beginnings of a message that a parser does not wait on.
func impatient<Value>(
  _ message: [UInt8], _ parse: (Span<UInt8>) -> WireStep<Value>
) -> [Int] {
  message.indices.filter { !parse(Array(message[..<$0]).span).isIncomplete }
}

/// Changes each byte of a message to some others, and asks to survive what comes of it.
/// - Returns: how many messages were tried.
func mutated<Value>(_ message: [UInt8], _ parse: (Span<UInt8>) -> WireStep<Value>) -> Int {
  var tried = 0
  for position in message.indices {
    for byte: UInt8 in [0, 1, 0x0a, 0x20, 0x7f, 0x80, 0xfc, 0xfe, 0xff, message[position] &+ 1] {
      var changed = message
      changed[position] = byte
      if case .complete(_, let length) = parse(changed.span), length > changed.count { return -1 }
      tried += 1
    }
  }
  return tried
}

func bytes(hex: String) -> [UInt8] {
  let digits = hex.utf8.filter { $0 != UInt8(ascii: " ") }
  return stride(from: 0, to: digits.count, by: 2).compactMap {
    UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
  }
}
