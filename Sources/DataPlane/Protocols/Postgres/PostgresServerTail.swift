/// The last bytes that a server sent: enough to know, without following its messages, that it waits for a query.
package struct PostgresServerTail: Sendable {
  private var bits: UInt64 = 0

  package init() {}

  /// Takes the next bytes, cut anywhere.
  package mutating func note(_ bytes: UnsafeRawBufferPointer) {
    var position = max(0, bytes.count - 8)
    while position < bytes.count {
      unsafe bits = bits << 8 | UInt64(bytes[position])
      position += 1
    }
  }

  /// Whether they are a ReadyForQuery: `Z`, the length 5, and the state of the transaction. Data may look like it by
  /// accident, so it serves for a last word alone.
  package var isReadyForQuery: Bool {
    let states = [UInt8(ascii: "I"), UInt8(ascii: "T"), UInt8(ascii: "E")]
    return (bits >> 8) & 0xff_ffff_ffff == 0x5a_0000_0005 && states.contains(UInt8(truncatingIfNeeded: bits))
  }
}
