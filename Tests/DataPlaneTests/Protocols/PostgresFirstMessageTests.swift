import AccessPolicy
import Testing

@testable import DataPlane

@Suite struct PostgresFirstMessageTests {
  static func startup(_ parameters: String, version: UInt32 = 0x3_0000) -> [UInt8] {
    var body: [UInt8] = []
    body.appendBig(version, 4)
    body += parameters.utf8
    var bytes: [UInt8] = []
    bytes.appendBig(body.count + 4, 4)
    return bytes + body
  }

  static func request(_ code: UInt32, _ rest: [UInt8] = []) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendBig(8 + rest.count, 4)
    bytes.appendBig(code, 4)
    return bytes + rest
  }

  static let requests: [([UInt8], PostgresFirstMessage)] = [
    (request(80_877_103), .sslRequest),
    (request(80_877_104), .gssEncryptionRequest),
    (
      request(80_877_102, [0, 0, 0, 123, 1, 2, 3, 4]),
      .cancel(PostgresCancelKey(processID: 123, secret: [1, 2, 3, 4]))
    ),
    (
      request(80_877_102, [0xff, 0xff, 0xff, 0xff] + Array(repeating: 9, count: 256)),
      .cancel(PostgresCancelKey(processID: .max, secret: Array(repeating: 9, count: 256)))
    ),
  ]

  @Test(arguments: requests)
  func aRequestIsReadToItsEnd(_ bytes: [UInt8], _ message: PostgresFirstMessage) throws {
    let (value, length) = try #require(PostgresFirstMessage.parse((bytes + [0x16])).completed)
    #expect(value == message)
    #expect(length == bytes.count)
    #expect(impatient(bytes) { PostgresFirstMessage.parse($0) } == [])
    #expect(mutated(bytes) { PostgresFirstMessage.parse($0) } == 10 * bytes.count)
    if case .cancel(let key) = value { #expect(key.request == bytes) }
  }

  /// User, database, application, replication. The first five were sent by psql 15 (two), psycopg 3.3, asyncpg
  /// 0.32 and pg8000 1.31.
  static let startups: [(String, UInt32, [String?])] = [
    (
      "user\0orders_ro\0database\0orders\0application_name\0app\0\0", 0x3_0000,
      ["orders_ro", "orders", "app", nil]
    ),
    (
      "user\0orders_ro\0database\0orders\0replication\0database\0application_name\0psql\0\0", 0x3_0000,
      ["orders_ro", "orders", "psql", "database"]
    ),
    (
      "user\0orders_ro\0database\0orders\0options\0-c statement_timeout=5s\0\0", 0x3_0000,
      ["orders_ro", "orders", nil, nil]
    ),
    (
      "client_encoding\0'utf-8'\0user\0orders_ro\0database\0orders\0\0", 0x3_0000,
      ["orders_ro", "orders", nil, nil]
    ),
    (
      "user\0orders_ro\0database\0orders\0application_name\0app\0\0", 0x3_0000,
      ["orders_ro", "orders", "app", nil]
    ),
    ("user\0a\0\0", 0x3_0002, ["a", "a", nil, nil]),
    ("user\0a\0database\0\0\0", 0x3_270f, ["a", "a", nil, nil]),
    ("user\0é\0_pq_.x\0\0_pq_.y\0z\0\0", 0x3_0000, ["é", "é", nil, nil]),
    ("user\0a\0replication\0true\0database\0b\0\0", 0x3_0000, ["a", nil, nil, "true"]),
    ("user\0a\0replication\0off\0database\0b\0\0", 0x3_0000, ["a", "b", nil, nil]),
    (
      "user\0\(String(repeating: "é", count: 31))a\0\0", 0x3_0000,
      [String(repeating: "é", count: 31) + "a"] + [
        String(repeating: "é", count: 31) + "a", nil, nil,
      ]
    ),
  ]

  @Test(arguments: startups)
  func aStartupGivesFacts(_ parameters: String, _ version: UInt32, _ expected: [String?]) throws {
    let bytes = Self.startup(parameters, version: version)
    let (value, length) = try #require(PostgresFirstMessage.parse((bytes + [1])).completed)
    guard case .startup(let startup) = value else {
      Issue.record("\(value)")
      return
    }
    #expect(length == bytes.count)
    #expect(startup.message == bytes)
    #expect(startup.minorVersion == UInt16(version & 0xffff))
    let fields: [Field] = [.postgresUser, .postgresDatabase, .postgresApplication, .postgresReplication]
    #expect(fields.map { startup.facts[$0] } == expected.map { $0.map { .text($0) } })
    #expect(impatient(bytes) { PostgresFirstMessage.parse($0) } == [])
    #expect(mutated(bytes) { PostgresFirstMessage.parse($0) } == 10 * bytes.count)
  }

  static let refused: [([UInt8], String)] = [
    ([0x16], "the length"),
    (Array("GET ".utf8), "the length"),
    ([0, 0, 0, 0], "the length"),
    ([0, 0, 0, 7], "the length"),
    ([0x80], "the length"),
    ([0x80, 0, 0, 0], "the length"),
    ([0xff, 0xff, 0xff, 0xff], "the length"),
    ([0, 0, 0x27, 0x15], "8...10004"),
    (request(80_877_103, [0]), "an SSLRequest has 8 bytes, not 9"),
    (request(80_877_104, [0]), "a GSSENCRequest has 8 bytes, not 9"),
    (request(80_877_102, [0, 0, 0, 1, 1, 2, 3]), "not 3 bytes"),
    (request(80_877_102), "4...256"),
    (request(80_877_102, Array(repeating: 0, count: 4 + 257)), "not 257 bytes"),
    (request(80_877_105), "1234.5681"),
    (startup("user\0a\0\0", version: 0x2_0000), "2.0, and only 3"),
    (startup("user\0a\0\0", version: 0x4_0000), "4.0"),
    (startup(""), "no end"),
    (startup("\0"), "names no user"),
    (startup("database\0a\0\0"), "names no user"),
    (startup("user\0\0\0"), "names no user"),
    (startup("user\0a\0"), "no end"),
    (startup("user\0\0"), "no end"),
    (startup("user\0"), "without a value"),
    (startup("user\0a\0\0\0"), "goes on behind its end"),
    (startup("user\0a\0\0database\0b\0\0"), "goes on behind its end"),
    (startup("user\0a\0user\0b\0\0"), "twice"),
    (startup("user\0a\0User\0b\0\0"), "twice"),
    (startup("user\0a\0database\0a\0database\0a\0\0"), "twice"),
    (startup("user\0a\0application_name\0a\0APPLICATION_NAME\0b\0\0"), "twice"),
    (startup("user\0a\0Database\0b\0\0"), "in capitals"),
    (startup("user\0a\0OPTIONS\0b\0\0"), "in capitals"),
    (startup("user\0\(String(repeating: "a", count: 64))\0\0"), "'user' of the startup message is over 63"),
    (
      startup("user\0a\0database\0\(String(repeating: "a", count: 64))\0\0"),
      "'database' of the startup message is"
    ),
    (startup("user\0a\nb\0\0"), "control character"),
    (startup("user\0a\u{85}b\0\0"), "control character"),
    (startup("user\0a\0replication\0maybe\0\0"), "neither a boolean nor 'database'"),
    (startup("user\0a\0replication\0o\0\0"), "neither a boolean nor 'database'"),
    (startup("user\0a\0replication\0\0\0"), "empty"),
    (request(0x3_0000, Array("user\0".utf8) + [0xff, 0xfe, 0, 0]), "no UTF-8"),
    (request(0x3_0000, Array("user\0a\0database\0".utf8) + [0xc0, 0x80, 0, 0]), "no UTF-8"),
    (request(0x3_0000, Array("user\0a\0application_name\0".utf8) + [0xe9, 0, 0]), "no UTF-8"),
  ]

  @Test(arguments: refused)
  func whatIsNoneIsRefused(_ bytes: [UInt8], _ problem: String) throws {
    let found = try #require(PostgresFirstMessage.parse(bytes).problem)
    #expect(found.contains(problem))
  }

  @Test func theLongestIsThatOfTheServer() {
    let filler = String(repeating: "x", count: 10_004 - 8 - 7 - 4)
    #expect(PostgresFirstMessage.parse(Self.startup("user\0a\0y\0\(filler)\0\0")).completed?.length == 10_004)
    #expect(PostgresFirstMessage.parse(Self.startup("user\0a\0y\0\(filler)x\0\0")).problem != nil)
  }

  /// Asked of PostgreSQL's parse_bool.
  static let booleans: [(String, PostgresStartup.Replication?)] = [
    ("true", .physical), ("t", .physical), ("TRUE", .physical), ("yes", .physical), ("y", .physical),
    ("on", .physical), ("On", .physical), ("1", .physical), ("database", .logical), ("false", nil),
    ("f", nil),
    ("no", nil), ("n", nil), ("off", nil), ("of", nil), ("0", nil),
  ]

  @Test(arguments: booleans)
  func replicationIsReadAsTheServerDoes(_ value: String, _ expected: PostgresStartup.Replication?) throws {
    #expect(try PostgresStartup.replication(value) == expected)
  }

  @Test(arguments: ["truee", "DATABASE", "2", "10", " true", "yess", "d"])
  func otherReplicationIsRefused(_ value: String) {
    #expect(throws: PostgresStartup.Problem.self) { try PostgresStartup.replication(value) }
  }
}
