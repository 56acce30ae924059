import AccessPolicy
import Testing

@testable import GatewayConfiguration

/// One run shows every mistake, in the order of the file.
struct ExhaustiveFindingsTests {
  @Test func aFileFullOfMistakesShowsThemAll() {
    let text = """
      version: 2
      listeners:
        - name: a
          listen: localhost
          tls: {certificate: &x a.pem, private_kye: a.key, client_ca: [], min_version: yes}
          upstream: nowhere
          protocol: mysql
      upstreams:
        - {name: b, address: 1, connect_timeout: soon}
      policies: *x
      wrokers: 2
      """
    let (configuration, diagnostics) = ConfigurationReader.read(Array(text.utf8), file: "c.yaml")
    #expect(configuration == nil)
    #expect(
      diagnostics.map { "\($0.location.line):\($0.location.column) \($0.code)" } == [
        "1:10 invalid-value", "4:13 invalid-value", "5:10 missing-key", "5:24 yaml-feature",
        "5:34 unknown-key", "5:65 empty", "5:82 invalid-value", "6:15 unknown-reference",
        "9:24 invalid-value", "9:44 invalid-value", "10:11 yaml-feature",
        "11:1 unknown-key",
      ])
  }

  @Test func aFileOfNothingButMistakesIsBounded() {
    let text = "version: 1\n" + (0..<3000).map { "key\($0): 1\n" }.joined()
    let (_, diagnostics) = PolicyReader.read(Array(text.utf8), file: "p.yaml")
    #expect(diagnostics.count == Findings.maximum + 1)
    #expect(diagnostics.last?.code == "too-many-findings")
    #expect(diagnostics.last?.message == "2001 further findings are not shown")
  }

  @Test func aFileOverTheBoundIsNotRead() {
    let text = [UInt8](repeating: UInt8(ascii: "#"), count: YAMLComposer.maximumBytes + 1)
    let (_, diagnostics) = PolicyReader.read(text, file: "p.yaml")
    #expect(diagnostics.map(\.code) == ["too-large"])
  }

  @Test func whatAMessageQuotesCannotReachTheTerminal() {
    #expect(Wording.quote("a\u{1b}[2J\u{9b}") == #""a\u{1b}[2J\u{9b}""#)
    #expect(Wording.quote(String(repeating: "x", count: 100)).count == 83)
  }

  @Test(arguments: [
    ("polices", "policies"), ("lisen", "listen"), ("Listen", "listen"), ("nmae", "name"), ("prot", nil),
    ("", nil), ("zzzzzz", nil),
  ])
  func theNearestKeyIsTheOneThatWasMeant(_ written: String, _ meant: String?) {
    #expect(NearestWord.find(written, among: ["name", "listen", "policies", "protocol"]) == meant)
  }
}
