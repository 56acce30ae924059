import AccessPolicy
import Testing

@testable import GatewayConfiguration

/// One change to a valid configuration, and every finding that it must bring, word for word.
struct ConfigurationDiagnosticsTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var replacing: String
    var with: String
    var expect: [String]
    var testDescription: String { with }
  }

  @Test(
    arguments: Case.root + Case.listener + Case.listenAddress + Case.severalListeners + Case.tls
      + Case.hosts + Case.upstream + Case.auditAndLimits)
  func finding(_ example: Case) throws {
    let text = try Example.configuration(replacing: example.replacing, with: example.with)
    let (configuration, diagnostics) = ConfigurationReader.read(Array(text.utf8), file: "c.yaml")
    #expect(diagnostics.map(Example.line) == example.expect)
    #expect((configuration == nil) == diagnostics.contains { $0.severity == .error })
  }
}
