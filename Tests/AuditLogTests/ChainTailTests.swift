import Testing

@testable import AuditLog

@Suite struct ChainTailTests {
  static func bytes(_ lines: [[UInt8]], torn: [UInt8] = []) -> [UInt8] {
    lines.flatMap { $0 + [UInt8(ascii: "\n")] } + torn
  }

  static func expected(_ line: [UInt8]) -> RecordChain.Position? {
    IntegrityMember(line[...]).map { .init(uid: $0.uid, sequence: $0.sequence, previous: $0.fingerprint) }
  }

  @Test func theLastLineTellsWhereTheChainStands() throws {
    let lines = ChainTests.lines(3)
    let tail = try #require(ChainTail(Self.bytes(lines), isWhole: true))
    #expect(tail.position == Self.expected(lines[2]) && tail.sequence == 3 && !tail.isTorn)
    var chain = RecordChain(at: try #require(tail.position), digest: Sample.digest)
    let next = chain.seal(Sample.record(Sample.closed(4)))
    #expect(ChainTests.verify(lines + [next]).finding == nil)
  }

  @Test func aTornLineIsPassedOver() throws {
    let lines = ChainTests.lines(3)
    for length in [1, 50, lines[2].count - 1] {
      let bytes = Self.bytes(Array(lines[..<2]), torn: Array(lines[2].prefix(length)))
      let tail = try #require(ChainTail(bytes, isWhole: true))
      #expect(tail.position == Self.expected(lines[1]) && tail.isTorn)
    }
  }

  @Test func aLineThatLacksOnlyItsEndCounts() throws {
    let lines = ChainTests.lines(2)
    let tail = try #require(ChainTail(Self.bytes([lines[0]], torn: lines[1]), isWhole: true))
    #expect(tail.position == Self.expected(lines[1]) && tail.isTorn)
  }

  @Test func foreignLinesAreLookedBehind() throws {
    let lines = ChainTests.lines(2) + [Array("not ours".utf8), []]
    let tail = try #require(ChainTail(Self.bytes(lines), isWhole: true))
    #expect(tail.position == Self.expected(lines[1]) && !tail.isTorn && !tail.isUnsealed)
  }

  @Test func aWindowThatCutsItsOnlyLineIsTooShort() {
    let bytes = Self.bytes(ChainTests.lines(1))
    #expect(ChainTail(Array(bytes.dropFirst()), isWhole: false) == nil)
    #expect(ChainTail(bytes, isWhole: false) == nil)
    #expect(ChainTail([], isWhole: true)?.position == nil)
  }

  @Test func aLogWithoutIntegrityKeepsItsNumbers() throws {
    var chain = ChainTests.chain(nil)
    let lines = (1...3).map { chain.seal(Sample.record(Sample.closed($0))) }
    let tail = try #require(ChainTail(Self.bytes(lines), isWhole: true))
    #expect(tail.position == nil && tail.sequence == 3 && tail.isUnsealed)
  }
}
