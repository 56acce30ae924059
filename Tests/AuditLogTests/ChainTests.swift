import AccessPolicy
import Testing

@testable import AuditLog

@Suite struct ChainTests {
  static let uid: UInt128 = 0xabc

  static func chain(_ digest: Digest? = Sample.digest) -> RecordChain {
    RecordChain(at: .genesis(uid: uid), digest: digest)
  }

  static func lines(_ count: Int) -> [[UInt8]] {
    var chain = chain()
    return (1...count).map { chain.seal(Sample.record(Sample.closed($0))) }
  }

  static func verify(_ lines: [[UInt8]], torn: Bool = false) -> ChainVerification {
    var verification = ChainVerification(digest: Sample.digest)
    for line in lines { verification.feed(line[...]) }
    verification.finish(torn: torn)
    return verification
  }

  @Test func theFingerprintIsWhatTheContractSays() throws {
    let lines = Self.lines(2)
    let first = try JSONParser.parse(lines[0][...])
    let second = try JSONParser.parse(lines[1][...])
    let fingerprint = try #require(first["countersign", "integrity", "fingerprint"]?.text)
    #expect(first["countersign", "integrity", "previous"]?.text == String(repeating: "0", count: 64))
    #expect(second["countersign", "integrity", "previous"]?.text == fingerprint)
    #expect(first["countersign", "integrity", "chain_uid"]?.text == "00000000000000000000000000000abc")
    #expect(first["event", "sequence"]?.integer == 1)
    #expect(second["event", "sequence"]?.integer == 2)
    #expect(second["countersign", "integrity", "sequence"]?.integer == 2)
    let text = String(decoding: lines[0], as: UTF8.self)
    #expect(text.count(of: fingerprint) == 1)
    let message = String(repeating: "0", count: 64) + "\n" + text.replacing(fingerprint, with: "")
    #expect(Hex.text(Sample.digest(Array(message.utf8))) == fingerprint)
    let record = Sample.record(Sample.closed(1))
    #expect(first["event", "hash"]?.text == Hex.text(Sample.digest(record.bytes)))
  }

  @Test func withoutADigestRecordsAreOnlyNumbered() throws {
    var chain = Self.chain(nil)
    _ = chain.seal(Sample.record(Sample.closed(1)))
    let json = try JSONParser.parse(chain.seal(Sample.record(Sample.closed(2)))[...])
    #expect(json["event", "sequence"]?.integer == 2)
    #expect(json["countersign", "integrity"] == nil)
  }

  @Test(arguments: Sample.events) func everyRecordCanBeSealed(_ event: AuditEvent) throws {
    var chain = Self.chain()
    let verification = Self.verify([chain.seal(Sample.record(event))])
    #expect(verification.finding == nil && verification.records == 1)
  }

  @Test func anUntouchedLogIsFine() {
    let verification = Self.verify(Self.lines(20))
    #expect(verification.finding == nil)
    #expect(verification.records == 20 && verification.chainStarts == [1])
  }

  /// Each byte of a line in turn.
  @Test func everyChangedByteIsFound() {
    let lines = Self.lines(3)
    for index in lines[1].indices {
      var changed = lines
      changed[1][index] ^= 1
      let finding = Self.verify(changed).finding
      #expect(finding?.line == 2, "byte \(index)")
    }
  }

  static func finding(_ lines: [[UInt8]]) -> ChainFinding? { verify(lines).finding }

  @Test func removedLinesAreFound() {
    var lines = Self.lines(6)
    lines.remove(at: 2)
    #expect(Self.finding(lines) == .init(line: 3, problem: .removed(3...3)))
    lines.remove(at: 2)
    #expect(Self.finding(lines) == .init(line: 3, problem: .removed(3...4)))
  }

  @Test func reorderedLinesAreNotRemovedOnes() {
    var lines = Self.lines(6)
    lines.swapAt(1, 2)
    #expect(Self.finding(lines) == .init(line: 2, problem: .reordered(2, line: 3)))
    var moved = Self.lines(6)
    moved.append(moved.remove(at: 1))
    #expect(Self.finding(moved) == .init(line: 2, problem: .reordered(2, line: 6)))
  }

  @Test func insertedLinesAreFound() {
    let lines = Self.lines(6)
    var copied = lines
    copied.insert(lines[1], at: 3)
    #expect(Self.finding(copied) == .init(line: 4, problem: .repeated(2)))
    var foreign = lines
    foreign.insert(Array("{}".utf8), at: 3)
    #expect(Self.finding(foreign) == .init(line: 4, problem: .inserted))
    // A line that somebody sealed without the key, or without knowing the chain.
    var forged = lines
    forged.insert(lines[3].map { $0 == UInt8(ascii: "4") ? UInt8(ascii: "5") : $0 }, at: 3)
    #expect(Self.finding(forged) == .init(line: 4, problem: .inserted))
    var other = RecordChain(at: .genesis(uid: 0xdef), digest: Sample.digest)
    var alien = lines
    alien.insert(other.seal(Sample.record(Sample.closed(9))), at: 3)
    #expect(Self.finding(alien) == .init(line: 4, problem: .inserted))
    #expect(
      Self.finding(lines + [other.seal(Sample.record(Sample.closed(9)))])
        == .init(line: 7, problem: .otherChain))
  }

  @Test func aLineInThePlaceOfARecordIsAChangedOne() {
    var lines = Self.lines(6)
    lines[3] = Array("{}".utf8)
    #expect(Self.finding(lines) == .init(line: 4, problem: .changed))
    lines[3] = Self.lines(1)[0]
    #expect(Self.finding(lines) == .init(line: 4, problem: .repeated(1)))
  }

  /// A line that was sealed again by somebody with the digest still does not fit the next one.
  @Test func aResealedLineIsFoundAtTheNext() throws {
    var lines = Self.lines(4)
    let first = try #require(IntegrityMember(lines[0][...]))
    var chain = RecordChain(uid: first.uid, sequence: 1, previous: first.fingerprint, digest: Sample.digest)
    lines[1] = chain.seal(Sample.record(Sample.closed(99)))
    #expect(Self.finding(lines) == .init(line: 3, problem: .replaced))
  }

  @Test func anotherKeyIsFound() {
    var verification = ChainVerification { [1] + Sample.digest($0) }
    verification.feed(Self.lines(1)[0][...])
    #expect(verification.finding == .init(line: 1, problem: .changed))
  }

  @Test func linesBeforeTheChainAreNotInsertedOnes() {
    let unsealed = Array("{}".utf8)
    #expect(Self.finding([unsealed] + Self.lines(2)) == .init(line: 1, problem: .unsealedStart(1)))
    #expect(
      Self.finding([unsealed, unsealed, []] + Self.lines(2)) == .init(line: 1, problem: .unsealedStart(3)))
    // Before a later record they may have been records.
    #expect(Self.finding([unsealed] + Self.lines(4)[2...]) == .init(line: 1, problem: .unreadable))
  }

  @Test func aLogWithoutASealIsToldAsOne() {
    let unsealed = Array("{}".utf8)
    #expect(Self.finding([unsealed]) == .init(line: 1, problem: .unsealed))
    #expect(Self.finding([unsealed, unsealed]) == .init(line: 1, problem: .unsealed))
    #expect(Self.verify([unsealed, unsealed], torn: true).finding == .init(line: 1, problem: .unsealed))
    #expect(Self.finding([]) == nil)
  }

  static func torn(_ lines: [[UInt8]], gapTells: Bool) -> [[UInt8]] {
    let last = IntegrityMember(lines[lines.count - 1][...])
    var chain = RecordChain(
      uid: last?.uid ?? "", sequence: last?.sequence ?? 0, previous: last?.fingerprint ?? "",
      digest: Sample.digest)
    let gap = AuditEvent.auditGap(.init(lost: 3, cause: "cut off", tornLine: gapTells))
    return lines + [Array(lines[0].prefix(100)), chain.seal(Sample.record(gap))]
  }

  @Test func aTornLineIsNoTampering() {
    let verification = Self.verify(Self.torn(Self.lines(2), gapTells: true))
    #expect(verification.finding == nil)
    #expect(verification.tornLines == [3] && verification.records == 3 && verification.lost == 3)
    let atEnd = Self.verify(Self.lines(2) + [Array("{\"@time".utf8)], torn: true)
    #expect(atEnd.finding == nil && atEnd.tornLines == [3])
  }

  @Test func aHalfLineThatNoGapTellsOfIsTampering() {
    let told = Self.verify(Self.torn(Self.lines(2), gapTells: false))
    // The record behind it is tied to the one before it: nobody but the gateway's own gap may say that.
    #expect(told.finding == .init(line: 3, problem: .inserted))
    let ended = Self.verify(Self.lines(2) + [Array("{\"@time".utf8)])
    #expect(ended.finding == .init(line: 3, problem: .unreadable))
  }

  @Test func aRotatedFileContinuesTheChain() {
    let lines = Self.lines(6)
    var both = ChainVerification(digest: Sample.digest)
    for line in lines[..<3] { both.feed(line[...]) }
    both.finish(torn: false)
    for line in lines[3...] { both.feed(line[...]) }
    both.finish(torn: false)
    #expect(both.finding == nil && both.chainStarts == [1])
    let second = Self.verify(Array(lines[3...]))
    #expect(second.finding == nil && second.chainStarts == [1])
    var missing = ChainVerification(digest: Sample.digest)
    for line in lines[..<3] { missing.feed(line[...]) }
    missing.finish(torn: false)
    missing.feed(lines[4][...])
    #expect(missing.finding == .init(line: 4, problem: .removed(4...4)))
  }
}

extension String {
  fileprivate func count(of part: String) -> Int { ranges(of: part).count }
}
