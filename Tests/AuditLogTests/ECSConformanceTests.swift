import AccessPolicy
import Foundation
import Testing

@testable import AuditLog

/// Every record that the encoder can make, held to the field list of the Elastic Common Schema.
@Suite struct ECSConformanceTests {
  /// Every action with everything known; and the same with every text long, wild and in need of escapes.
  static let events: [AuditEvent] = {
    var wild = Sample.facts
    let text = String(repeating: "\u{0}\u{1b}[31m\u{202e}\"\\\n é😀", count: 400)
    for field in Field.allCases {
      switch field.kind {
      case .text: wild[field] = .text(text)
      case .texts: wild[field] = .texts([text, "", "short"])
      default: break
      }
    }
    wild.unreadableNames = [UnreadableName(place: "san_dns", problem: text)]
    var unlogged = Sample.judged()
    unlogged.isUnlogged = true
    return Sample.events + [
      .decision(Sample.judged(.deny, facts: wild)),
      .handshakeFailed(
        .init(
          context: Sample.context(wild), reason: .certificateMalformed, code: text, message: text, depth: 1,
          subject: text)),
      .handshakeFailed(.init(context: Sample.context(Facts()), reason: .clientClosed, message: "gone")),
      .connectionClosed(.init(connection: unlogged, reason: .internal, ending: Sample.ending)),
      .limitReached(
        .init(
          limit: "max_connections_per_caller", value: 3, scope: .caller, context: Sample.context(wild),
          caller: Caller(name: text, groups: [text]))),
      .gatewayStopping(.init(cause: text)),
      .auditGap(.init(lost: .max, unlogged: .max, cause: text, code: nil, tornLine: true)),
    ]
  }()

  /// As it is written, with what the chain adds.
  private static func line(_ event: AuditEvent) -> [UInt8] {
    var chain = RecordChain(at: .genesis(uid: 7), digest: Sample.digest)
    return chain.seal(Sample.record(event))
  }

  @Test(arguments: events) func aRecordHoldsNothingButFieldsOfTheSchema(_ event: AuditEvent) throws {
    let schema = try ECSSchema()
    for (path, value) in Self.fields(try JSONParser.parse(Self.line(event)[...])) {
      guard path != "countersign", !path.hasPrefix("countersign.") else { continue }
      let problem = schema.problem(of: value, at: path)
      #expect(problem == nil, "\(path): \(problem ?? "")")
    }
  }

  /// A list that nothing is held to any more would be believed for nothing.
  @Test func everyFieldOfTheListIsWritten() throws {
    var written: Set<String> = []
    for event in Self.events {
      for (path, _) in Self.fields(try JSONParser.parse(Self.line(event)[...])) { written.insert(path) }
    }
    #expect(Set(try ECSSchema().fields.keys).subtracting(written) == [])
  }

  @Test(arguments: events) func categoryAndTypeGoTogether(_ event: AuditEvent) throws {
    let record = try JSONParser.parse(Self.line(event)[...])
    let categories = try ECSSchema.categories()
    let types = try #require(record["event", "type"]?.texts)
    for category in try #require(record["event", "category"]?.texts) {
      let expected = try #require(categories[category], "\(category)")
      #expect(Set(types).isSubset(of: expected), "\(category): \(types)")
    }
  }

  @Test(arguments: events) func noControlIsUnescapedAndNoValueTooLong(_ event: AuditEvent) throws {
    let line = Self.line(event)
    let text = try #require(String(validating: line, as: UTF8.self))
    #expect(!text.unicodeScalars.contains(where: JSONText.isHidden))
    for (path, value) in Self.fields(try JSONParser.parse(line[...])) {
      for text in value.texts ?? [value.text].compactMap({ $0 }) {
        #expect(text.utf8.count <= 4096, "\(path)")
      }
    }
  }

  /// What the list is for: it tells what is not as the schema has it.
  @Test(arguments: [
    ("source.ip", JSONValue.text("10.0.0.256"), "no address"), ("source.ip", .number("1"), "no address"),
    ("source.port", .text("1"), "no integer"), ("source.port", .number("1.5"), "no integer"),
    ("event.start", .text("2026-11-24 14:11:08Z"), "no date"), ("tls.resumed", .text("true"), "no boolean"),
    ("event.type", .text("start"), "no array"), ("event.kind", .array([.text("event")]), "no text"),
    ("event.type", .array([.text("begin")]), "not allowed: begin"),
    ("event.kind", .text("signals"), "not allowed: signals"),
    ("event.colour", .text("red"), "no field of the schema"), ("user.name", .object([:]), "no text"),
    ("user.roles", .array([.number("1")]), "no text"),
  ]) func aBreachIsTold(_ path: String, _ value: JSONValue, _ problem: String) throws {
    #expect(try ECSSchema().problem(of: value, at: path) == problem)
  }

  /// The values of a record by their paths; arrays stay whole, save those of objects.
  private static func fields(_ value: JSONValue, _ path: String = "") -> [(String, JSONValue)] {
    switch value {
    case .object(let members) where !members.isEmpty:
      members.flatMap { fields($1, path.isEmpty ? $0 : "\(path).\($0)") }
    case .array(let elements) where elements.contains { if case .object = $0 { true } else { false } }:
      elements.flatMap { fields($0, path) }
    default: [(path, value)]
    }
  }
}

/// The field list in Tests/ECS.
struct ECSSchema {
  struct Field {
    var type: String
    var isArray: Bool
    /// Empty where every value is allowed.
    var allowed: Set<String>
  }

  let fields: [String: Field]

  init() throws {
    fields = try Self.rows("fields.csv").mapValues {
      let allowed = $0[2].split(separator: " ").map(String.init)
      return Field(type: $0[0], isArray: $0[1] == "array", allowed: Set(allowed))
    }
  }

  /// The types that are expected with each category.
  static func categories() throws -> [String: Set<String>] {
    try rows("categories.csv").mapValues { Set($0[0].split(separator: " ").map(String.init)) }
  }

  private static func rows(_ name: String) throws -> [String: [String]] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("ECS/\(name)")
    var rows: [String: [String]] = [:]
    for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst() {
      let cells = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      rows[cells[0]] = Array(cells.dropFirst())
    }
    return rows
  }

  /// - Returns: what is wrong with the value; nil where it is as the schema has it.
  func problem(of value: JSONValue, at path: String) -> String? {
    guard let field = fields[path] else { return "no field of the schema" }
    guard field.isArray else { return problem(of: value, field) }
    guard case .array(let elements) = value else { return "no array" }
    return elements.lazy.compactMap { problem(of: $0, field) }.first
  }

  private func problem(of value: JSONValue, _ field: Field) -> String? {
    switch (field.type, value) {
    case ("keyword", .text(let text)), ("match_only_text", .text(let text)):
      field.allowed.isEmpty || field.allowed.contains(text) ? nil : "not allowed: \(text)"
    case ("keyword", _), ("match_only_text", _): "no text"
    // A long has 64 bits and a sign.
    case ("long", .number(let text)): Int64(text) == nil ? "no integer" : nil
    case ("long", _): "no integer"
    case ("boolean", .flag): nil
    case ("boolean", _): "no boolean"
    case ("ip", .text(let text)): IPAddress(text) == nil ? "no address" : nil
    case ("ip", _): "no address"
    case ("date", .text(let text)): Timestamp(rfc3339: text) == nil ? "no date" : nil
    case ("date", _): "no date"
    default: "the list has an unknown type \(field.type)"
    }
  }
}
