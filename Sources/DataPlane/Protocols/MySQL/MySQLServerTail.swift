/// Reads along with what a server sends once the client is in, for a last word of the gateway's own: an error that
/// stands where the answer to the next command would is read as that. Looks at the heads of packets alone.
package struct MySQLServerTail: Sendable {
  private var head: [UInt8] = []
  private var bodyLeft = 0
  /// Of the last packet whose head has come.
  private var sequence: UInt8 = 0
  private var length = 0
  private var kind: UInt8?

  package init() { head.reserveCapacity(MySQLPacket.headLength + 1) }

  /// Takes the next bytes, cut anywhere.
  package mutating func note(_ bytes: UnsafeRawBufferPointer) {
    var position = 0
    while position < bytes.count {
      if bodyLeft > 0, kind != nil {
        let part = min(bodyLeft, bytes.count - position)
        position += part
        bodyLeft -= part
        continue
      }
      unsafe take(bytes[position])
      position += 1
    }
  }

  private mutating func take(_ byte: UInt8) {
    if bodyLeft > 0 {
      kind = byte
      bodyLeft -= 1
      return
    }
    head.append(byte)
    guard head.count == MySQLPacket.headLength else { return }
    length = MySQLPacket.length(head.span, at: 0)
    sequence = head[3]
    kind = nil
    bodyLeft = length
    head.removeAll(keepingCapacity: true)
  }

  /// Whether the last packet is whole.
  package var isAtEndOfPacket: Bool { bodyLeft == 0 && head.isEmpty }

  /// Whether the last packet is one that ends an answer: OK, as the first, an error, or the end of rows. A row may look
  /// like the last of these by accident, so it serves for a last word alone.
  package var isAnswered: Bool {
    guard isAtEndOfPacket else { return false }
    return switch kind {
    case nil: length == 0
    case 0x00: sequence == 1
    case 0xff: true
    case 0xfe: length < MySQLPacket.fullLength
    default: false
    }
  }
}
