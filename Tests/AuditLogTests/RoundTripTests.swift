import AccessPolicy
import Testing

@testable import AuditLog

@Suite struct RoundTripTests {
  @Test func theTableHasEveryFieldOnce() {
    let fields = (FactLayout.groups.flatMap(\.members) + FactLayout.names).map(\.field)
    #expect(fields.count == Field.allCases.count)
    #expect(Set(fields) == Set(Field.allCases))
    let paths = FactLayout.groups.flatMap { group in group.members.map { group.path + [$0.key] } }
    #expect(Set(paths).count == paths.count)
  }

  /// A CancelRequest may do what its connection may: rules that judge facts have no say in it.
  @Test(arguments: ["0123456789abcdef0123456789abcdef", "nothing"])
  func aCancelIsNoDecisionOfThePolicies(_ cancels: String) throws {
    for verdict in [Verdict.allow, .deny] {
      var judged = Sample.judged(verdict)
      judged.cancels = cancels
      let json = try JSONParser.parse(Sample.record(.decision(judged)).bytes[...])
      #expect(json["countersign", "postgres", "cancels"]?.text == cancels)
      #expect(try RecordedDecision.read(json) == nil)
    }
  }

  static func read(_ facts: Facts, verdict: Verdict = .allow) throws -> RecordedDecision? {
    let record = Sample.record(.decision(Sample.judged(verdict, facts: facts)))
    return try RecordedDecision.read(JSONParser.parse(record.bytes[...]))
  }

  @Test func allFactsComeBack() throws {
    let decision = try #require(try Self.read(Sample.facts))
    #expect(decision.facts == Sample.facts)
    #expect(decision.time == Sample.time)
    #expect(decision.caller == Sample.decision().caller)
    #expect(decision.verdict == .allow && decision.reason == .rule && decision.rule == "orders-reads")
    #expect(decision.matched == ["log-all", "orders-reads"])
    #expect(decision.shadow == Sample.decision().shadow)
    #expect(decision.cutFields.isEmpty)
  }

  /// One field known, and all but one.
  @Test(arguments: Field.allCases) func eachFactComesBackAlone(_ field: Field) throws {
    var alone = Facts()
    alone[.listener] = Sample.value(.listener)
    alone[.upstream] = Sample.value(.upstream)
    var rest = Sample.facts
    if field.kind != .duration, field.kind != .clock { alone[field] = Sample.value(field) }
    if field != .listener, field != .upstream { rest[field] = nil }
    #expect(try Self.read(alone)?.facts == alone)
    #expect(try Self.read(rest)?.facts == rest)
  }

  @Test(arguments: ["", "URI:", "\u{301}acute", "\u{0}", "\u{202e}", "…", "a\"b\\c", "\u{2028}", "😀"])
  func strangeTextComesBack(_ text: String) throws {
    var facts = Sample.facts
    for field in Field.allCases {
      switch field.kind {
      case .text where field != .listener && field != .upstream: facts[field] = .text(text)
      case .texts: facts[field] = .texts([text, text + "2", "", text])
      default: break
      }
    }
    facts.unreadableNames = [UnreadableName(place: "san_dns", problem: text)]
    #expect(try Self.read(facts)?.facts == facts)
  }

  @Test func emptyListsAreNotUnknown() throws {
    var facts = Sample.facts
    for field in Field.allCases where field.kind == .texts { facts[field] = .texts([]) }
    facts[.sanIP] = .addresses([])
    #expect(try Self.read(facts)?.facts == facts)
  }

  /// Captures are named by policy files, and a name cannot break out of its quotes.
  @Test func strangeCapturesComeBack() throws {
    var judged = Sample.judged()
    judged.decision.caller?.captures = [#"a":{"b"#: #"x"}"#, "": "\u{0}", "é\n": ""]
    let record = Sample.record(.decision(judged))
    let decision = try RecordedDecision.read(JSONParser.parse(record.bytes[...]))
    #expect(decision?.caller == judged.decision.caller)
  }

  @Test func cutValuesAreNamed() throws {
    var facts = Sample.facts
    facts[.sanDNS] = .texts(["a", String(repeating: "b", count: 5000)])
    facts[.postgresUser] = .text(String(repeating: "c", count: 5000))
    let decision = try #require(try Self.read(facts))
    #expect(decision.cutFields == [.sanDNS, .postgresUser])
  }

  @Test func otherRecordsAreNoDecisions() throws {
    for event in Sample.events.dropFirst(2) {
      let json = try JSONParser.parse(Sample.record(event).bytes[...])
      #expect(try RecordedDecision.read(json) == nil)
    }
  }

  @Test(arguments: [
    ("\"verdict\":\"allow\"", "\"verdict\":\"maybe\"", "countersign.verdict"),
    ("\"ip\":\"10.1.2.3\"", "\"ip\":\"10.1.2\"", "source.ip"),
    ("\"URI:san_uri one\"", "\"RFC:san_uri one\"", "tls.client.x509.alternative_names"),
    ("\"chain_length\":2", "\"chain_length\":\"2\"", "countersign.facts.chain_length"),
    ("14:11:08.123456789Z", "noon", "@timestamp"),
  ]) func aForeignValueIsAnError(_ written: String, _ foreign: String, _ member: String) throws {
    let line = String(decoding: Sample.record(.decision(Sample.judged())).bytes, as: UTF8.self)
    #expect(line.contains(written))
    let changed = line.replacing(written, with: foreign)
    let json = try JSONParser.parse(Array(changed.utf8)[...])
    #expect { try RecordedDecision.read(json) } throws: { ($0 as? RecordError)?.member == member }
  }
}
