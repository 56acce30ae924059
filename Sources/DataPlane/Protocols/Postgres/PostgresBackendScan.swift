/// Reads along with what the server says until a client may send its first query, for the pair that ends a
/// query of it (BackendKeyData). It changes nothing, keeps nothing but a message's head, and gives up rather
/// than guess: a connection whose key is not known works, and its queries cannot be cancelled.
package struct PostgresBackendScan: Sendable {
  package enum Outcome: Hashable, Sendable {
    case scanning
    /// ReadyForQuery: the server has let the client in.
    case ready
    /// ErrorResponse: it has not.
    case refused
    /// What came is not the protocol as known here.
    case abandoned(String)
  }

  package private(set) var outcome: Outcome = .scanning
  package private(set) var key: PostgresCancelKey?

  /// Of a message before ReadyForQuery: tokens of GSS and SASL are the longest, far below.
  private static let maxMessage: UInt32 = 1 << 20

  private var type: UInt8 = 0
  /// How much of a head of 5 bytes is there.
  private var headCount = 0
  private var length: UInt32 = 0
  /// Of the message's body: still to come.
  private var bodyLeft = 0
  /// The body of BackendKeyData as far as it is there.
  private var keyBody: [UInt8] = []

  package init() {}

  /// Reads the next bytes; they may be cut anywhere.
  package mutating func scan(_ bytes: Span<UInt8>) {
    var position = 0
    while outcome == .scanning {
      if headCount == 5 {
        let part = min(bodyLeft, bytes.count - position)
        if type == Self.keyData { keyBody += bytes.copy(position..<position + part) }
        position += part
        bodyLeft -= part
        guard bodyLeft == 0 else { return }
        endMessage()
      } else {
        guard position < bytes.count else { return }
        addToHead(bytes[position])
        position += 1
      }
    }
  }

  private static let keyData = UInt8(ascii: "K")

  private mutating func addToHead(_ byte: UInt8) {
    if headCount == 0 { type = byte } else { length = length << 8 | UInt32(byte) }
    headCount += 1
    if headCount == 1 { beginMessage() }
    guard headCount == 5, outcome == .scanning else { return }
    guard (4...Self.maxMessage).contains(length) else {
      return giveUp("the server sent a message with the length \(length)")
    }
    bodyLeft = Int(length) - 4
    if type == Self.keyData, !PostgresCancelKey.secretLengths.contains(bodyLeft - 4) {
      giveUp("the server sent a BackendKeyData with the length \(length)")
    }
  }

  private mutating func beginMessage() {
    switch type {
    case UInt8(ascii: "E"): outcome = .refused
    case UInt8(ascii: "Z"): outcome = .ready
    case Self.keyData where key != nil: giveUp("the server sent BackendKeyData twice")
    case 0x41...0x5a, 0x61...0x7a: break
    default: giveUp("the server sent the message type \(type)")
    }
  }

  private mutating func endMessage() {
    if type == Self.keyData {
      key = PostgresCancelKey(
        processID: keyBody[..<4].reduce(0) { $0 << 8 | UInt32($1) }, secret: Array(keyBody[4...]))
      keyBody = []
    }
    headCount = 0
    length = 0
  }

  /// A key that is followed by nonsense is none.
  private mutating func giveUp(_ problem: String) {
    outcome = .abandoned(problem)
    key = nil
    keyBody = []
  }
}
