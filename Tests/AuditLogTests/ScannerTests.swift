import AccessPolicy
import Testing

@testable import AuditLog

/// What the scanner says of a line must be what the strict parser says.
@Suite struct ScannerTests {
  /// - Returns: whether the scanner knew the line.
  @discardableResult
  static func compare(
    _ line: [UInt8], _ scanner: inout RecordScanner, _ location: SourceLocation = #_sourceLocation
  ) -> Bool {
    let span = line.span
    let strict = RecordLine.read(line[...])
    switch scanner.scan(span) {
    case .unusual: return false
    case .other(let action):
      #expect(strict == .other(action), "\(String(decoding: line, as: UTF8.self))", sourceLocation: location)
    case .decision:
      guard let decision = scanner.decision(span) else { return false }
      #expect(
        strict == .decision(decision), "\(String(decoding: line, as: UTF8.self))", sourceLocation: location)
    }
    return true
  }

  typealias SourceLocation = Testing.SourceLocation

  static let sealed: [[UInt8]] = {
    var chain = ChainTests.chain()
    return Sample.events.map { chain.seal(Sample.record($0)) }
  }()

  /// The table of the scanner follows the encoder: no record of a connection is left to the strict parser.
  @Test func everyRecordOfAConnectionIsKnown() {
    var scanner = RecordScanner()
    // The limit, the revocation's second judgement and the gateway's own records are rare.
    for index in [0, 1, 3, 5] {
      #expect(Self.compare(Self.sealed[index], &scanner), "event \(index)")
    }
    for line in Self.sealed { Self.compare(line, &scanner) }
  }

  /// Thousands of records: each has some of the facts, with texts that are hard to write.
  @Test func thousandsOfRecordsAreReadAlike() {
    var scanner = RecordScanner()
    var state: UInt64 = 42
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(truncatingIfNeeded: state >> 33) % bound
    }
    let texts = [
      "orders", "a\\,b", "\"", "é", "\u{202e}", "", "x\ty", "😀", "{x}", "*", "\u{301}", "URI:a",
      String(repeating: "long ", count: 900), "CN=a\\+b",
    ]
    // Texts that are cut or have long escapes are the strict parser's; most lines have none.
    let tame = texts.filter { $0.utf8.count < 100 && $0 != "\u{202e}" }
    let addresses: [IPAddress] = [
      IPAddress(v4: 0x0a00_0001), IPAddress(v6: 1), IPAddress(v6: 0x2001_0db8 << 96),
    ]
    var known = 0
    for number in 0..<2500 {
      let texts = number % 4 == 0 ? texts : tame
      var facts = Facts()
      for field in Field.allCases where next(3) > 0 {
        switch field.kind {
        case .text: facts[field] = .text(texts[next(texts.count)])
        case .texts: facts[field] = .texts((0..<next(3)).map { _ in texts[next(texts.count)] })
        case .integer: facts[field] = .integer(next(70_000))
        case .flag: facts[field] = .flag(next(2) == 0)
        case .instant:
          facts[field] = .instant(
            next(4) == 0 ? .distantFuture : Timestamp(nanoseconds: Int64(next(1 << 30)) * 4_000_000_123))
        case .address: facts[field] = .address(addresses[next(3)])
        case .addresses: facts[field] = .addresses((0..<next(3)).map { _ in addresses[next(3)] })
        case .duration, .clock: break
        }
      }
      facts[.listener] = .text("orders-db")
      facts[.upstream] = .text("orders")
      if next(10) == 0 { facts.unreadableNames = [UnreadableName(place: "subject", problem: "contains NUL")] }
      var judged = Sample.judged(next(2) == 0 ? .allow : .deny, facts: facts)
      if next(4) == 0 { judged.decision.caller?.captures = ["a": texts[next(texts.count)], "b": "2"] }
      if next(4) == 0 { judged.decision.caller = nil }
      let time = Timestamp(nanoseconds: Int64(next(1 << 30)) * 1_000_000_007)
      var chain = ChainTests.chain()
      let line = chain.seal(Sample.record(.decision(judged), id: UInt128(number), at: time))
      if Self.compare(line, &scanner) { known += 1 }
    }
    #expect(known > 1500, "the scanner knew \(known) of 2500")
  }

  /// Bytes all over a record: changed, left out, and doubled.
  @Test(arguments: [0, 3]) func damagedRecordsAreReadAlike(_ index: Int) {
    var scanner = RecordScanner()
    let line = Self.sealed[index]
    for place in stride(from: index, to: line.count, by: 7) {
      for change: UInt8 in [0x01, 0x20, 0x80] {
        var changed = line
        changed[place] ^= change
        Self.compare(changed, &scanner)
      }
      var shorter = line
      shorter.remove(at: place)
      Self.compare(shorter, &scanner)
      var longer = line
      longer.insert(line[place], at: place)
      Self.compare(longer, &scanner)
      Self.compare(Array(line[..<place]), &scanner)
    }
  }

  static let foreign = [
    "", "{}", "[]", "nul", "{\"event\":{}}", "{\"event\":{\"action\":\"connection-closed\"}}",
    "{\"event\":{\"action\":\"connection-closed\",\"action\":\"x\"}}",
    "{\"event\":{\"action\":\"connection-closed\"},\"event\":{}}",
    "{\"event\":{\"action\":\"new-in-another-version\"}}", "{\"event\":{\"action\":\"connection-allowed\"}}",
    "{\"event\":{\"action\":\"connection-closed\"}} ", "\u{feff}{}",
    "{\"event\":{\"action\":\"connection-closed\",\"duration\":01}}",
    "{\"event\":{\"action\":\"connection-closed\",\"duration\":1e3}}",
    "{\"event\":{\"action\":\"connection-closed\",\"duration\":99999999999999999999}}",
    "{\"event\":{\"action\":\"connection-clos\\u0065d\"}}",
    "{\"event\":{\"action\":\"connection\\-closed\"}}",
  ]

  @Test(arguments: foreign) func foreignLinesAreReadAlike(_ text: String) {
    var scanner = RecordScanner()
    Self.compare(Array(text.utf8), &scanner)
  }

  /// A key holds all that a judgement hangs on: lines that differ in it have different keys.
  @Test func linesThatSaySomethingElseHaveAnotherKey() {
    var scanner = RecordScanner()
    let slots = RecordScanner.keySlots(Set(Field.allCases))
    func key(_ judged: JudgedConnection, id: UInt128 = 1, _ slots: [UInt8]) -> [UInt8] {
      let line = Sample.record(.decision(judged), id: id).bytes
      guard scanner.scan(line.span) == .decision else { return [] }
      var key: [UInt8] = []
      scanner.appendKey(line.span, slots: slots, to: &key)
      return key
    }
    let base = key(Sample.judged(), slots)
    #expect(!base.isEmpty && key(Sample.judged(), id: 2, slots) == base)
    for field in Field.allCases where Sample.facts[field] != nil && field != .listener && field != .upstream {
      var facts = Sample.facts
      facts[field] = nil
      #expect(key(Sample.judged(facts: facts), slots) != base, "\(field)")
    }
    #expect(key(Sample.judged(.deny), slots) != base)
    var facts = Sample.facts
    facts[.sourcePort] = .integer(1)
    let few = RecordScanner.keySlots([.sanURI, .listener])
    #expect(key(Sample.judged(facts: facts), few) == key(Sample.judged(), few))
  }
}
