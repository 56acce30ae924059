import Testing

@testable import Workbench

@Suite struct JSONReportTests {
  @Test func membersComeInTheOrderOfTheirNames() throws {
    let text = try JSONReport.text(["b": "a/b", "a": "\u{1b}"])
    #expect(text == "{\n  \"a\" : \"\\u001b\",\n  \"b\" : \"a/b\"\n}\n")
  }
}
