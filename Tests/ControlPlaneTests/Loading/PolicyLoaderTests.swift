import AccessPolicy
import GatewayConfiguration
import Testing

@testable import ControlPlane

/// Policies without a configuration.
struct PolicyLoaderTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.write(
      "callers.yaml", "version: 1\ncallers:\n  - { name: a, match: { san_uri: \"x://a\" } }\n")
    try folder.write(
      "rules.yaml",
      "version: 1\nrules:\n  - { name: r, action: allow, callers: [a], listeners: [\"d*\"] }\n")
  }

  @Test func rulesSpeakOfAnyListener() throws {
    let (documents, policy, diagnostics) = PolicyLoader.load([folder.path("*.yaml")])
    #expect(diagnostics.map(\.message) == [])
    #expect(documents.count == 2)
    let judge = try #require(policy)
    let verdicts = ["db", "dc", "api", nil].map { listener in
      var facts = Facts()
      facts[.sanURI] = .texts(["x://a"])
      if let listener { facts[.listener] = .text(listener) }
      return judge.decide(facts, at: Timestamp(seconds: 1)).verdict
    }
    #expect(verdicts == [.allow, .allow, .deny, .deny])
  }

  @Test(arguments: [
    ("version: 1\nrules: [\n", "yaml-syntax"),
    ("version: 1\nrules:\n  - { name: r, action: allow, callers: [b] }\n", "duplicate-rule"),
  ])
  func oneMistakeLeavesNoPolicy(text: String, code: String) throws {
    try folder.write("wrong.yaml", text)
    let (_, policy, diagnostics) = PolicyLoader.load([folder.path("*.yaml")])
    #expect(policy == nil)
    #expect(diagnostics.map(\.code).contains(code))
  }

  @Test func aPathToNothingIsAnError() {
    let (_, policy, diagnostics) = PolicyLoader.load([folder.path("none.yaml"), folder.path("x*.yaml")])
    #expect(policy == nil)
    #expect(diagnostics.map(\.code) == ["unreadable-file", "no-match"])
  }
}
