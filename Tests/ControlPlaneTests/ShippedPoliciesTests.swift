import AccessPolicy
import Foundation
import GatewayConfiguration
import Testing

/// The policies that are shipped say what the tests beside them expect.
struct ShippedPoliciesTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Policies").standardizedFileURL
  static let sets = [
    "cloudflare-origin-pulls", "contractors", "devices", "mysql-roles", "postgres-roles", "service-workers",
  ]

  private func document(_ path: URL) throws -> PolicyDocument {
    let (document, diagnostics) = PolicyReader.read(
      Array(try Data(contentsOf: path)), file: path.lastPathComponent)
    #expect(diagnostics.isEmpty)
    return try #require(document)
  }

  @Test func everySetIsTested() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
      .filter { !$0.hasSuffix(".md") }
    #expect(folders.sorted() == Self.sets)
  }

  @Test(arguments: sets)
  func policiesSayWhatTheirTestsExpect(_ name: String) throws {
    let folder = Self.folder.appendingPathComponent(name)
    let rules = try document(folder.appendingPathComponent("policy.yaml"))
    let tests = try document(folder.appendingPathComponent("tests.yaml")).tests
    let listeners = Set(rules.rules.flatMap { $0.listeners ?? [] }.map(\.value)).sorted()
    let (policy, diagnostics) = Policy.compile([rules], listeners: listeners)
    #expect(diagnostics.isEmpty)
    let compiled = try #require(policy)
    #expect(tests.count >= 4)
    for test in tests {
      let decision = compiled.decide(test.given, at: test.at ?? Timestamp(seconds: 1_800_000_000))
      let label = Comment(rawValue: test.name.value)
      #expect(decision.verdict == test.expect, label)
      if let caller = test.caller { #expect(decision.caller?.name == caller.value, label) }
      if let rule = test.rule { #expect(decision.rule == rule.value, label) }
      if let reason = test.reason { #expect(decision.reason == reason.value, label) }
      if let shadow = test.shadow { #expect(decision.shadow.verdict == shadow.value, label) }
    }
  }
}
