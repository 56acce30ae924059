/// Reads along with what a client sends once it is in, for the commands that would make it somebody else. It
/// looks at the heads of packets alone and copies nothing.
///
/// A packet begins a command if its sequence is 0; the server refuses a command with another. The data of LOAD
/// DATA LOCAL has sequences from 2 on, and comes to 0 again after 255: such a packet is taken for a command too,
/// for what a client sends must not decide whether it is looked at. Files of text do not begin a packet with the
/// byte of either command.
package struct MySQLCommandScan: Hashable, Sendable {
  /// What of the bytes may go on.
  package struct Step: Hashable, Sendable {
    /// How many bytes may go on. The caller keeps the others, at most 4 unless ``command`` is there, and gives
    /// them again in front of the next.
    package let passable: Int
    /// The command whose packet begins behind them, and is not to go on as it is.
    package let command: Command?
  }

  package enum Command: UInt8, Sendable, Hashable {
    case changeUser = 0x11
    /// COM_MULTI of MariaDB 10.2 to 10.7: several commands in one.
    case multi = 0xfe
  }

  /// Of the payload that goes by.
  private var bodyLeft = 0
  /// Whether the next packet goes on with the payload of the last.
  private var continues = false

  package init() {}

  /// Looks at the next bytes, which may be cut anywhere.
  package mutating func scan(_ bytes: Span<UInt8>) -> Step {
    var position = 0
    while true {
      let part = min(bodyLeft, bytes.count - position)
      position += part
      bodyLeft -= part
      let left = bytes.count - position
      guard left >= MySQLPacket.headLength else { return Step(passable: position, command: nil) }
      let length = MySQLPacket.length(bytes, at: position)
      if !continues, bytes[position + 3] == 0, length > 0 {
        guard left > MySQLPacket.headLength else { return Step(passable: position, command: nil) }
        if let command = Command(rawValue: bytes[position + 4]) {
          return Step(passable: position, command: command)
        }
      }
      position += MySQLPacket.headLength
      bodyLeft = length
      continues = length == MySQLPacket.fullLength
    }
  }
}
