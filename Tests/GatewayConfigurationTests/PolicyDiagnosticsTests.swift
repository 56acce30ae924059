import AccessPolicy
import Testing

@testable import GatewayConfiguration

/// Policy files with something wrong in them, and every finding that they must bring, word for word.
struct PolicyDiagnosticsTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var yaml: String
    var expect: [String]
    var testDescription: String { yaml }
  }

  @Test(arguments: Case.file + Case.callers + Case.matchers + Case.rules + Case.time + Case.tests)
  func finding(_ example: Case) {
    let (document, diagnostics) = PolicyReader.read(Array(example.yaml.utf8), file: "p.yaml")
    #expect(diagnostics.map(Example.line) == example.expect)
    #expect((document == nil) == diagnostics.contains { $0.severity == .error })
  }
}
