import AccessPolicy
import Testing

@testable import GatewayConfiguration

/// A path that names a key in place of YAML: the file is refused, and nothing that it holds is shown.
struct MistypedPathTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var name: String
    var text: String
    var expect: String
    var testDescription: String { name }
  }

  private static let secret = "MC4CAQAwBQYDK2VwBCIEIJ0nTsE3cr3T"
  private static let block = "-----BEGIN PRIVATE KEY-----\n\(secret)\n-----END PRIVATE KEY-----\n"
  private static let pem =
    "pem-file: this is a PEM file, not YAML "
    + "(look at the path: it names a certificate or a key)"

  @Test(arguments: [
    Case(name: "a key", text: block, expect: "1:1: " + pem),
    Case(name: "a byte order mark", text: "\u{FEFF}" + block, expect: "1:1: " + pem),
    Case(
      name: "an encrypted key", text: block.replacing("---\nMC", with: "---\nProc-Type: 4,ENC\nMC"),
      expect: "1:1: " + pem),
    Case(name: "a key with a comment", text: "# key\n" + block, expect: "2:1: " + pem),
    Case(
      name: "a key with attributes", text: "Attributes\n    friendlyName: x\n" + block,
      expect: "3:1: " + pem),
    Case(name: "a key of the log", text: secret, expect: "1:1: wrong-type: found a text, expected a mapping"),
    Case(name: "quoted", text: "\"\(secret)\"", expect: "1:1: wrong-type: found a text, expected a mapping"),
    Case(name: "a list", text: "- \(secret)", expect: "1:1: wrong-type: found a list, expected a mapping"),
    Case(name: "an anchor", text: "&\(secret)", expect: "1:1: yaml-feature: found an anchor, which"),
    Case(name: "an alias", text: "*\(secret)", expect: "1:1: yaml-feature: found an alias, which"),
    Case(name: "a tag", text: "!\(secret)", expect: "1:1: yaml-feature: found a tag, which"),
  ])
  func nothingIsQuoted(_ example: Case) {
    let bytes = Array(example.text.utf8)
    for found in [
      ConfigurationReader.draft(bytes, file: "c.yaml").diagnostics,
      PolicyReader.draft(bytes, file: "p.yaml").diagnostics,
    ] {
      let lines = found.map(Example.line)
      #expect(lines.contains { $0.hasPrefix(example.expect) }, "\(lines)")
      #expect(!lines.contains { $0.contains(Self.secret.prefix(8)) })
    }
  }
}
