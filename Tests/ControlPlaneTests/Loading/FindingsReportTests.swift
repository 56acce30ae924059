import AccessPolicy
import Testing

@testable import ControlPlane

struct FindingsReportTests {
  private static let error = Diagnostic(
    .error, at: SourceLocation(file: "c.yaml", line: 3, column: 5), code: "unknown-key",
    message: "unknown key \"nmae\" in a listener", hint: "did you mean \"name\"?")
  private static let warning = Diagnostic(
    .warning, at: SourceLocation(file: "a\u{1b}[2J.yaml"), code: "empty", message: "nothing")

  @Test func textHasALineForAFindingAndALineForItsHint() {
    #expect(
      FindingsReport([Self.error, Self.warning]).text == """
        c.yaml:3:5: error: unknown key "nmae" in a listener [unknown-key]
          hint: did you mean "name"?
        a\\u{1b}[2J.yaml: warning: nothing [empty]

        """)
    #expect(FindingsReport([]).text.isEmpty)
  }

  @Test func theOutcomeIsThatOfTheWorstFinding() {
    #expect(FindingsReport([]).outcome == .clean)
    #expect(FindingsReport([Self.warning]).outcome == .warnings)
    #expect(FindingsReport([Self.warning, Self.error]).outcome == .errors)
    #expect(FindingsReport([Self.warning, Self.error]).summary == "1 error, 1 warning")
    #expect(FindingsReport([]).summary == "0 errors, 0 warnings")
  }
}
