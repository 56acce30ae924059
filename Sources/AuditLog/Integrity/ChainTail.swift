/// Where the chain of an existing log stands, read from the end of the file.
package struct ChainTail: Hashable, Sendable {
  /// Of the last line that is a sealed record; nil where there is none.
  package var position: RecordChain.Position?
  /// `event.sequence` of the last line, for a log without integrity.
  package var sequence: UInt64
  /// The last line that is a record carries no seal: a chain behind it would begin in the middle of the file.
  package var isUnsealed = false
  /// The file's last byte is no end of line: a write was cut off.
  package var isTorn: Bool
  /// There are whole lines, and none is a record: the file is no audit log.
  package var isForeign: Bool
  /// What the fingerprint of the last sealed record was made of.
  private var sealed: [UInt8] = []

  /// - Parameters:
  ///   - bytes: the last bytes of the file.
  ///   - isWhole: whether these are all bytes of the file.
  /// - Returns: nil where the bytes hold no complete record and the file has more bytes: read a longer end.
  package init?(_ bytes: [UInt8], isWhole: Bool) {
    self.position = nil
    self.sequence = 0
    self.isForeign = false
    self.isTorn = bytes.last.map { $0 != UInt8(ascii: "\n") } ?? false
    var end = bytes.endIndex
    while end > bytes.startIndex {
      let lineEnd = bytes[end - 1] == UInt8(ascii: "\n") ? end - 1 : end
      let start = bytes[..<lineEnd].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.startIndex
      // The first line of a window may have lost its beginning.
      if start == bytes.startIndex, !isWhole { break }
      if read(bytes[start..<lineEnd]) { return }
      end = start
    }
    if !isWhole { return nil }
    self.isForeign = bytes.contains(UInt8(ascii: "\n"))
  }

  /// Whether the digest is the one that sealed the last record, and the record is as it was; true where there
  /// is none. A chain that went on with another one would never verify.
  package func isSealed(by digest: Digest) -> Bool {
    position.map { Hex.text(digest(sealed)) == $0.previous } ?? true
  }

  /// A line that was cut off just before its end is complete: it counts, so that the chain has no fork.
  private mutating func read(_ line: ArraySlice<UInt8>) -> Bool {
    if let member = IntegrityMember(line) {
      position = RecordChain.Position(
        uid: member.uid, sequence: member.sequence, previous: member.fingerprint)
      sequence = member.sequence
      sealed = member.message(line)
      return true
    }
    guard let record = try? JSONParser.parse(line),
      let number = record["event", "sequence"]?.integer, let number = UInt64(exactly: number)
    else { return false }
    sequence = number
    isUnsealed = true
    return true
  }
}
