import ControlPlane
import DataPlane
import GatewayConfiguration
import Testing

/// What a probe says, and what it takes for an answer, as a table.
struct ProbeScriptTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let script: ProbeScript
    let answer: [UInt8]
    /// Part of the problem; nil: none.
    var problem: String?
    var isIncomplete = false
    var testDescription: String { "\(answer)" }
  }

  static let postgres = ProbeScript(.protocol, .postgres)
  static let postgresTLS = ProbeScript(.protocol, .postgres, needsTLS: true)
  static let mysql = ProbeScript(.protocol, .mysql)
  static let greeting: [UInt8] = [0x4a, 0, 0, 0, 10] + Array("8.0.36\0".utf8)

  static let rows: [Row] = [
    Row(script: ProbeScript(.tcp, .tcp), answer: []),
    Row(script: ProbeScript(.tcp, .postgres), answer: []),
    Row(script: ProbeScript(.protocol, .tcp), answer: []),
    Row(script: postgres, answer: [], isIncomplete: true),
    Row(script: postgres, answer: Array("S".utf8)),
    Row(script: postgres, answer: Array("N".utf8)),
    Row(script: postgres, answer: Array("E".utf8), problem: "with an error"),
    Row(script: postgres, answer: Array("H".utf8), problem: "neither S nor N"),
    Row(script: postgres, answer: Array("SX".utf8), problem: "bytes behind its answer"),
    Row(script: postgresTLS, answer: Array("S".utf8)),
    Row(script: postgresTLS, answer: Array("N".utf8), problem: "does not speak TLS"),
    Row(script: mysql, answer: [], isIncomplete: true),
    Row(script: mysql, answer: [0x4a, 0, 0, 0], isIncomplete: true),
    Row(script: mysql, answer: greeting),
    Row(script: mysql, answer: [0x4a, 0, 0, 0, 9, 1], problem: "version 9"),
    Row(script: mysql, answer: [0x4a, 0, 0, 1, 10], problem: "does not begin as"),
    Row(script: mysql, answer: [0, 0, 0, 0, 10], problem: "does not begin as"),
    Row(script: mysql, answer: [9, 0, 0, 0, 0xff], isIncomplete: true),
    Row(script: mysql, answer: [9, 0, 0, 0, 0xff, 0x10, 0x04, 0x54], problem: "error 1040"),
    Row(script: mysql, answer: [1, 0, 0, 0, 0xff], problem: "an error"),
    Row(script: mysql, answer: Array("HTTP/1.1".utf8), problem: "does not begin as"),
  ]

  @Test(arguments: rows)
  func theVerdict(_ row: Row) {
    switch row.script.judge(row.answer) {
    case .incomplete: #expect(row.isIncomplete)
    case .well: #expect(row.problem == nil && !row.isIncomplete)
    case .ill(let problem): #expect(row.problem.map(problem.contains) == true)
    }
  }

  @Test func whatAProbeSaysFirst() {
    let request: [UInt8] = [0, 0, 0, 8, 4, 210, 22, 47]
    #expect(ProbeScript(.tcp, .postgres).opening == [])
    #expect(Self.mysql.opening == [])
    #expect(Self.postgres.opening == request)
    #expect(
      ProbeScript(.protocol, .postgres, proxyHeader: .v1).opening == Array("PROXY UNKNOWN\r\n".utf8) + request
    )
    for header in [Upstream.ProxyHeader.v2, .v2TLS] {
      #expect(ProbeScript(.tcp, .tcp, proxyHeader: header).opening == ProxyHeader.local)
      #expect(ProbeScript(.protocol, .postgres, proxyHeader: header).opening == ProxyHeader.local + request)
    }
  }
}
