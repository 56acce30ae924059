import AccessPolicy
import Foundation
import Testing

@testable import GatewayConfiguration

/// The references say what the decoders do: they list the keys of the same tables, no more and no fewer.
struct ReferenceTests {
  /// A row of a reference's table.
  struct Row {
    var key: String
    var cells: [String]
  }

  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// - Returns: the rows below each heading.
  private func sections(of path: String) throws -> [String: [Row]] {
    let text = try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
    var sections: [String: [Row]] = [:]
    var heading = ""
    for line in text.split(separator: "\n") {
      if line.hasPrefix("## ") { heading = String(line.dropFirst(3)).replacing("`", with: "") }
      guard line.hasPrefix("| `") else { continue }
      let cells = line.dropFirst().dropLast().split(separator: "|").map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      sections[heading, default: []].append(
        Row(key: cells[0].trimmingCharacters(in: ["`"]), cells: Array(cells.dropFirst())))
    }
    return sections
  }

  private func check(_ schema: Schema, _ rows: [Row]) throws {
    #expect(Set(rows.map(\.key)) == Set(schema.names), "\(schema.noun)")
    #expect(rows.count == schema.keys.count, "\(schema.noun)")
    for key in schema.keys {
      let row = try #require(rows.first { $0.key == key.name }, "\(schema.noun): \(key.name)")
      try #require(row.cells.count == 4)
      #expect((row.cells[1] == "required") == key.required, "\(schema.noun): \(key.name)")
      #expect(!row.cells[0].isEmpty && !row.cells[2].isEmpty)
      // The example is YAML that composes, and it shows this key with a value.
      let findings = Findings(file: key.name)
      let example = YAMLComposer.compose(
        Array(row.cells[3].trimmingCharacters(in: ["`"]).utf8), findings: findings)
      #expect(findings.diagnostics == [])
      guard case .mapping(let entries) = try #require(example).content else {
        Issue.record("the example of \(key.name) is not a mapping")
        continue
      }
      #expect(entries.map(\.key) == [key.name])
      #expect(entries.first?.value.isNothing == false)
    }
  }

  @Test func everyKeyOfTheConfigurationHasItsRow() throws {
    let sections = try sections(of: "Sources/GatewayConfiguration/REFERENCE.md")
    for schema in ConfigurationSchema.all {
      let heading = schema.path.isEmpty ? "The whole file" : schema.path
      try check(schema, try #require(sections[heading], "\(heading)"))
    }
    #expect(sections.count == ConfigurationSchema.all.count)
  }

  @Test(arguments: [
    ("Callers", PolicySchema.caller), ("Rules", PolicySchema.rule), ("Tests", PolicySchema.test),
    ("Values", PolicySchema.matcher), ("Time windows", PolicySchema.window),
  ])
  func everyKeyOfAPolicyHasItsRow(_ heading: String, _ schema: Schema) throws {
    let sections = try sections(of: "Policies/REFERENCE.md")
    try check(schema, try #require(sections[heading]))
  }

  @Test func everyFieldHasItsRowAndItsKind() throws {
    let rows = try #require(try sections(of: "Policies/REFERENCE.md")["Fields"])
    #expect(rows.map(\.key) == Field.allCases.map(\.name))
    let words: [Field.Kind: String] = [
      .text: "text", .texts: "texts", .integer: "number", .flag: "boolean", .instant: "instant",
      .address: "address", .addresses: "addresses", .duration: "duration", .clock: "clock",
    ]
    for (row, field) in zip(rows, Field.allCases) { #expect(row.cells.first == words[field.kind]) }
  }

  /// The examples of optional keys are accepted, save for those of keys that are marked as a whole.
  @Test(arguments: [
    ("The whole file", "policies: [p.yaml]", ""), ("limits", "policies: [p.yaml]", "limits: "),
    ("audit", "policies: [p.yaml]", "audit: "), ("listeners[]", "    upstream: db", "    "),
    ("listeners[].tls", "      client_ca: ca.pem", "      "),
    ("upstreams[]", "    address: 127.0.0.1:5432", "    "),
  ])
  func anExampleIsAcceptedOrItsKeyIsMarked(_ heading: String, _ line: String, _ prefix: String) throws {
    let rows = try #require(try sections(of: "Sources/GatewayConfiguration/REFERENCE.md")[heading])
    for row in rows where row.cells[1] != "required" {
      let example = row.cells[3].trimmingCharacters(in: ["`"])
      let value = prefix.hasSuffix(": ") ? "\(prefix){\(example)}" : prefix + example
      // `socket` is for a listener that has a file.
      let address = row.key == "socket" ? "unix:/run/x.sock" : "0.0.0.0:6432"
      var text = try Example.configuration(replacing: line, with: line + "\n" + value)
        .replacing("0.0.0.0:6432", with: address)
      // These three stand in for each other.
      if ["certificate", "pkcs12"].contains(row.key) {
        text = text.replacing("      certificate: a.pem\n", with: "")
      }
      if ["private_key", "pkcs12"].contains(row.key) {
        text = text.replacing("      private_key: a.key\n", with: "")
      }
      let (_, diagnostics) = ConfigurationReader.read(Array(text.utf8), file: "c.yaml")
      let marked = row.cells[2].hasSuffix("; *not available*")
      #expect(diagnostics.map(\.code) == (marked ? ["not-available"] : []), "\(row.key)")
    }
  }
}
