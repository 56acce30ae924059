/// The frame that every MySQL message is sent in: 3 bytes of length, 1 of sequence, the payload (MySQL
/// documentation, "MySQL Packets"). A payload of 2^24-1 bytes goes on in the next packet.
package struct MySQLPacket: Hashable, Sendable {
  package let sequence: UInt8
  /// Where the payload stands in the bytes that were read.
  package let payload: Range<Int>

  package static let headLength = 4
  /// The length that says that the next packet goes on with the same payload.
  package static let fullLength = 0xff_ffff
  /// The longest payload that is read while nobody is authenticated, and for COM_CHANGE_USER: connect
  /// attributes are at most 64 KiB, and the rest is small.
  package static let maxReadLength = 80 << 10

  /// Reads the packet that the bytes begin with.
  package static func parse(_ bytes: Span<UInt8>) -> WireStep<MySQLPacket> {
    if bytes.count >= 3, length(bytes, at: 0) > maxReadLength {
      return .invalid("a packet of \(length(bytes, at: 0)) bytes is over the \(maxReadLength) that are read")
    }
    guard bytes.count >= headLength else { return .incomplete }
    let end = headLength + length(bytes, at: 0)
    guard bytes.count >= end else { return .incomplete }
    return .complete(MySQLPacket(sequence: bytes[3], payload: headLength..<end), length: end)
  }

  /// The length that a head, of which 3 bytes are there, gives its payload.
  static func length(_ bytes: Span<UInt8>, at start: Int) -> Int {
    Int(bytes[start]) | Int(bytes[start + 1]) << 8 | Int(bytes[start + 2]) << 16
  }

  /// The packet of a payload, which is none that goes on: what the gateway writes itself is bounded by what it
  /// reads.
  package static func frame(_ payload: some Collection<UInt8>, sequence: UInt8) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(headLength + payload.count)
    bytes.appendLittle(payload.count, 3)
    bytes.append(sequence)
    bytes += payload
    return bytes
  }
}

/// What is wrong with a payload, for the log.
struct MySQLProblem: Error, Equatable {
  let text: String

  init(_ text: String) { self.text = text }
}

extension WireStep {
  /// The whole packet that the bytes begin with, of the sequence that has its turn, as `read` understands it.
  static func packet(
    _ bytes: Span<UInt8>, sequence: UInt8?, _ read: (MySQLPacket) throws(MySQLProblem) -> Value
  ) -> WireStep {
    switch MySQLPacket.parse(bytes) {
    case .incomplete:
      // What is no packet at all is told before all bytes that its length asks for are there.
      guard let sequence, bytes.count >= MySQLPacket.headLength, bytes[3] != sequence else {
        return .incomplete
      }
      return .invalid("a packet has the sequence \(bytes[3]), and \(sequence) has its turn")
    case .invalid(let problem): return .invalid(problem)
    case .complete(let packet, let length):
      if let sequence, packet.sequence != sequence {
        return .invalid("a packet has the sequence \(packet.sequence), and \(sequence) has its turn")
      }
      do throws(MySQLProblem) {
        return .complete(try read(packet), length: length)
      } catch {
        return .invalid(error.text)
      }
    }
  }
}

extension WireCursor {
  /// A length-encoded integer (MySQL documentation, "Integer Types") as a length.
  mutating func lengthEncoded(_ bytes: Span<UInt8>) -> Int? {
    guard let first = byte(bytes) else { return nil }
    switch first {
    case 0...0xfa: return Int(first)
    case 0xfc: return little(2, bytes).map { Int($0) }
    case 0xfd: return little(3, bytes).map { Int($0) }
    case 0xfe: return little(8, bytes).flatMap { Int(exactly: $0) }
    default: return nil
    }
  }

  /// The range of a length-encoded string.
  mutating func takeLengthEncoded(_ bytes: Span<UInt8>) -> Range<Int>? {
    lengthEncoded(bytes).flatMap { take($0) }
  }
}
