import AuditLog

/// Lines that are written together, and where the chain stands behind each.
struct SealedBatch {
  struct Line {
    /// Behind its end of line, in the batch's bytes.
    var end: Int
    /// Where the chain stands once the kernel has the line.
    var chain: RecordChain

    var sequence: UInt64 { chain.position.sequence }
  }

  private(set) var bytes: [UInt8] = []
  private(set) var lines: [Line] = []
  /// Where the first line begins.
  private(set) var start = 0
  private var chain: RecordChain

  init(chain: RecordChain) { self.chain = chain }

  /// Closes the line that a write before this one left open. Before the first record only.
  mutating func endTornLine() {
    bytes.append(UInt8(ascii: "\n"))
    start = bytes.count
  }

  mutating func add(_ record: EncodedRecord) {
    bytes += chain.seal(record)
    bytes.append(UInt8(ascii: "\n"))
    lines.append(Line(end: bytes.count, chain: chain))
  }
}
