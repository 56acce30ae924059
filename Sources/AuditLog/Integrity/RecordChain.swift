/// Seals records: numbers them and ties each to the one before.
///
/// The fingerprint of a line is the digest over the previous fingerprint in lowercase hex, a newline, and the
/// line's bytes with the fingerprint's value left empty. With HMAC-SHA-256 as the digest nobody without the
/// key can continue or rewrite the chain. A value: a writer seals with a copy and keeps it once the kernel
/// has the line.
package struct RecordChain: Sendable {
  /// Where a chain stands: what the next record is tied to.
  package struct Position: Hashable, Sendable {
    /// Names the chain; 32 hex digits.
    package var uid: String
    /// Of the last sealed record; 0 where there is none. Numbers begin with 1.
    package var sequence: UInt64
    /// The last fingerprint; 64 zeros where there is none.
    package var previous: String

    package init(uid: String, sequence: UInt64, previous: String) {
      self.uid = uid
      self.sequence = sequence
      self.previous = previous
    }

    /// The beginning of a chain.
    ///
    /// - Parameter uid: random and never used twice.
    package static func genesis(uid: UInt128) -> Position {
      Position(uid: Hex.text(uid), sequence: 0, previous: RecordChain.noFingerprint)
    }
  }

  /// What stands for a fingerprint before the first record.
  package static let noFingerprint = String(repeating: "0", count: 64)

  package private(set) var position: Position
  private let digest: Digest?

  /// - Parameters:
  ///   - sequence: the number of the last sealed record.
  ///   - previous: the fingerprint of that record.
  ///   - digest: SHA-256, or HMAC-SHA-256 with a key; nil numbers the records and does not tie them.
  package init(uid: String, sequence: UInt64, previous: String, digest: Digest?) {
    self.init(at: Position(uid: uid, sequence: sequence, previous: previous), digest: digest)
  }

  package init(at position: Position, digest: Digest?) {
    self.position = position
    self.digest = digest
  }

  /// - Returns: the line, without an end of line.
  package mutating func seal(_ record: EncodedRecord) -> [UInt8] {
    // A number that wraps after 2^64 records is better than a process that ends.
    position.sequence &+= 1
    guard let digest else { return numbered(record) }
    let prefix = Array(position.previous.utf8) + [UInt8(ascii: "\n")]
    var message: [UInt8] = []
    message.reserveCapacity(prefix.count + record.bytes.count + 512)
    message += prefix
    message += record.bytes[..<record.sequenceOffset]
    message += ",\"sequence\":\(position.sequence),\"hash\":\"".utf8
    Hex.append(digest(record.bytes), to: &message)
    message.append(UInt8(ascii: "\""))
    message += record.bytes[record.sequenceOffset..<record.integrityOffset]
    message += IntegrityMember.head.utf8
    message += "\(position.uid)\",\"sequence\":\(position.sequence),\"previous\":\"".utf8
    message += position.previous.utf8
    message += "\",\"fingerprint\":\"".utf8
    let place = message.count
    message += "\"}".utf8
    message += record.bytes[record.integrityOffset...]
    let fingerprint = Hex.text(digest(message))
    message.insert(contentsOf: fingerprint.utf8, at: place)
    message.removeFirst(prefix.count)
    position.previous = fingerprint
    return message
  }

  private func numbered(_ record: EncodedRecord) -> [UInt8] {
    var line = record.bytes
    line.insert(contentsOf: ",\"sequence\":\(position.sequence)".utf8, at: record.sequenceOffset)
    return line
  }
}
