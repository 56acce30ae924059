import AccessPolicy
import Testing

@testable import Workbench

@Suite struct JSONReportTests {
  @Test func membersComeInTheOrderOfTheirNames() throws {
    let text = try JSONReport.text(["b": "a/b", "a": "\u{1b}"])
    #expect(text == "{\n  \"a\" : \"\\u001b\",\n  \"b\" : \"a/b\"\n}\n")
  }

  private static let error = Diagnostic(
    .error, at: SourceLocation(file: "c.yaml", line: 3, column: 5), code: "unknown-key",
    message: "unknown key \"nmae\" in a listener", hint: "did you mean \"name\"?")
  private static let warning = Diagnostic(
    .warning, at: SourceLocation(file: "a\u{1b}[2J.yaml"), code: "empty", message: "nothing")

  @Test func findingsHaveEveryKeyAlways() throws {
    #expect(
      try JSONReport.text(JSONTree.object(["findings": .findings([Self.error, Self.warning])])) == #"""
        {
          "findings" : [
            {
              "code" : "unknown-key",
              "column" : 5,
              "file" : "c.yaml",
              "hint" : "did you mean \"name\"?",
              "line" : 3,
              "message" : "unknown key \"nmae\" in a listener",
              "severity" : "error"
            },
            {
              "code" : "empty",
              "column" : null,
              "file" : "a\u001b[2J.yaml",
              "hint" : null,
              "line" : null,
              "message" : "nothing",
              "severity" : "warning"
            }
          ]
        }

        """#)
  }

  @Test func aFailureHasItsFindings() throws {
    let json = try Make.object(try JSONReport.failure("no file", findings: [Self.warning]))
    #expect(json.text("error") == "no file")
    let findings = try #require(json["findings"] as? [[String: Any]])
    #expect(findings.map { $0.text("message") } == ["nothing"])
  }
}
