import AccessPolicy
import AuditLog
import Testing

@testable import Workbench

@Suite struct ChainCheckTests {
  static let digest: Digest = { bytes in
    var state: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return (0..<4).flatMap { lane in
      (0..<8).map { UInt8(truncatingIfNeeded: (state &* UInt64(lane * 2 + 1)) >> ($0 * 8)) }
    }
  }

  /// Three rotated files of one chain: records 1 to 4, 5 to 7 and 8 to 9.
  static func files() throws -> [String: [[UInt8]]] {
    let policy = try #require(Log.policy(ReplayTests.old))
    var chain = RecordChain(at: .genesis(uid: 7), digest: digest)
    var lines: [[UInt8]] = []
    for number in 1...9 {
      let line = Log.line(Log.worker("orders"), policy, id: number)
      let record = EncodedRecord(
        bytes: line, sequenceOffset: offset(",\"start\"", line), integrityOffset: line.count - 2)
      lines.append(chain.seal(record))
    }
    return ["old": Array(lines[..<4]), "middle": Array(lines[4..<7]), "new": Array(lines[7...])]
  }

  private static func offset(_ part: String, _ line: [UInt8]) -> Int {
    let key = Array(part.utf8)
    return line.indices.first { line[$0...].starts(with: key) } ?? 0
  }

  static func check(
    _ files: [String: [[UInt8]]], _ names: [String], expected: String? = nil, torn: Bool = false
  ) -> ChainCheck {
    let extents = names.map { name in
      let members = files[name, default: []].compactMap { IntegrityMember($0[...]) }
      return LogExtent(file: name, first: members.first, last: members.last)
    }
    var check = ChainCheck(digest: digest, expected: expected)
    for run in LogExtent.runs(extents) {
      check.beginRun()
      for extent in run {
        check.begin(extent)
        for line in files[extent.file, default: []] { check.feed(line[...]) }
        check.end(torn: torn)
      }
      check.endRun()
    }
    check.finish()
    return check
  }

  @Test(arguments: [["old", "middle", "new"], ["new", "middle", "old"], ["middle", "new", "old"]])
  func filesAreOrderedByTheirChain(_ names: [String]) throws {
    let check = Self.check(try Self.files(), names)
    #expect(check.cases.isEmpty && check.records == 9, "\(check.text)")
    #expect(check.files.map(\.file) == ["old", "middle", "new"])
    #expect(check.ends.count == 1 && check.ends[0].position.sequence == 9)
    #expect(check.text.contains("old: records 1 to 4 of chain"))
  }

  @Test func aMissingFileIsTold() throws {
    let check = Self.check(try Self.files(), ["new", "old"])
    #expect(check.cases.map(\.problem) == ["removed"])
    #expect(check.cases[0].file == "new" && check.cases[0].line == 1)
    #expect(check.cases[0].message.contains("records 5 to 7"))
    // Older files may be gone: what is there is checked.
    #expect(Self.check(try Self.files(), ["middle", "new"]).cases.isEmpty)
  }

  @Test func copiesAreCheckedForThemselves() throws {
    var files = try Self.files()
    files["copy"] = files["old"]
    #expect(Self.check(files, ["copy", "new", "middle", "old"]).cases.isEmpty)
    files["copy"]?[2].insert(0x20, at: 5)
    let check = Self.check(files, ["old", "copy", "middle", "new"])
    #expect(check.cases.map(\.file) == ["copy"] && check.cases[0].line == 3)
    #expect(check.cases[0].problem == "changed")
  }

  @Test func aFileThatWasWrittenAnewIsAFork() throws {
    var files = try Self.files()
    let other = try Self.files()["old", default: []].map { line in
      Array(String(decoding: line, as: UTF8.self).replacing("worker/orders", with: "worker/evil").utf8)
    }
    var chain = RecordChain(at: .genesis(uid: 7), digest: Self.digest)
    files["copy"] = other.map { line in
      let end = Self.offset(",\"integrity\"", line)
      return chain.seal(
        EncodedRecord(bytes: Array(line[..<end]) + Array("}}".utf8), sequenceOffset: 60, integrityOffset: end)
      )
    }
    let check = Self.check(files, ["old", "copy"])
    #expect(check.cases.contains { $0.problem == "forked" && $0.file == "copy" }, "\(check.text)")
  }

  @Test func anEndThatWasCutOffIsFoundByTheFingerprint() throws {
    var files = try Self.files()
    let last = try #require(Self.check(files, ["old", "middle", "new"]).ends.first).position.previous
    files["new"]?.removeLast()
    #expect(Self.check(files, ["old", "middle", "new"]).cases.isEmpty)
    let told = Self.check(files, ["old", "middle", "new"], expected: last)
    #expect(told.cases.map(\.problem) == ["truncated"])
    // A log that went on since holds it, too.
    let middle = try #require(IntegrityMember(files["middle", default: []][2][...])).fingerprint
    #expect(Self.check(files, ["old", "middle", "new"], expected: middle).cases.isEmpty)
  }

  @Test func whatIsNotSealedIsToldSo() throws {
    var files = try Self.files()
    let unsealed = [Array("{}".utf8), Array("{}".utf8)]
    files["new"] = unsealed
    let none = Self.check(files, ["new"])
    #expect(none.cases.map(\.problem) == ["unsealed"])
    #expect(none.cases[0].message.contains("no line is sealed: was it written with integrity: false"))
    files["old"]?.insert(contentsOf: unsealed, at: 0)
    let before = Self.check(files, ["old"])
    #expect(before.cases.map(\.problem) == ["unsealed_start"] && before.cases[0].line == 1)
    #expect(before.cases[0].message == "2 lines before the chain are not sealed")
  }

  @Test func nothingIsNotFine() {
    let check = Self.check(["empty": []], ["empty"])
    #expect(check.cases.isEmpty && check.records == 0)
    #expect(check.text.contains("nothing to check: there is no record") && !check.text.contains("ok:"))
    let expected = Self.check(["empty": []], ["empty"], expected: String(repeating: "a", count: 64))
    #expect(expected.cases.map(\.problem) == ["truncated"])
  }

  @Test func oneIsNoPlural() throws {
    let one = try Self.files().mapValues { Array($0.prefix(1)) }
    #expect(Self.check(one, ["old"]).text.contains("ok: 1 record is as it was written"))
  }

  @Test func whereALineStandsIsToldByItsFile() throws {
    var files = try Self.files()
    files["middle"]?.swapAt(0, 1)
    let check = Self.check(files, ["new", "middle", "old"])
    #expect(check.cases.map(\.problem) == ["reordered"])
    #expect(check.cases[0].file == "middle" && check.cases[0].line == 1)
    #expect(check.cases[0].message.contains("middle:2"))
    #expect(try check.json().contains("\"problem\" : \"reordered\""))
  }
}

@Suite struct RecordFilterTests {
  static func selects(_ change: (inout RecordFilter) -> Void) throws -> Bool {
    var filter = RecordFilter()
    change(&filter)
    let policy = try #require(Log.policy(ReplayTests.old))
    return filter.selects(Log.line(Log.worker("orders"), policy)[...])
  }

  @Test func eachThingThatIsAskedForMustHold() throws {
    #expect(try Self.selects { _ in })
    #expect(try Self.selects { $0.caller = "worker/*" })
    #expect(try !Self.selects { $0.caller = "work*" })
    #expect(try Self.selects { $0.rule = "a*" })
    #expect(try !Self.selects { $0.rule = "b" })
    #expect(try Self.selects { $0.listener = "orders-db" })
    #expect(try !Self.selects { $0.listener = "orders" })
    #expect(try Self.selects { $0.verdict = .allow })
    #expect(try !Self.selects { $0.verdict = .deny })
    #expect(try Self.selects { $0.actions = ["connection-allowed", "connection-denied"] })
    #expect(try !Self.selects { $0.actions = ["connection-denied"] })
    #expect(
      try Self.selects {
        $0.since = Log.start; $0.until = Log.start
      })
    #expect(try !Self.selects { $0.since = Timestamp(seconds: Log.start.seconds + 1) })
    #expect(try !Self.selects { $0.until = Timestamp(seconds: Log.start.seconds - 1) })
  }

  @Test func linesThatAreNoRecordsAreShownWhereNothingIsAskedFor() {
    #expect(RecordFilter().selects(Array("hello".utf8)[...]))
    var filter = RecordFilter()
    filter.caller = "**"
    #expect(!filter.selects(Array("hello".utf8)[...]))
  }
}
