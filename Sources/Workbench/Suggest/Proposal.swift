package import AccessPolicy
internal import GatewayConfiguration
internal import Patterns

/// A suggested policy with its tests, as text, and compiled from that text to be sure of it.
package struct Proposal {
  /// `version: 1`, `callers` and `rules`.
  package let policyText: String
  /// The tests alone, without `version`: `tests:` and its entries.
  private let testsBody: String
  /// What was seen and is not allowed by the proposal, though it should be: a mistake of this program, or
  /// callers that are kept and do not fit the log.
  package private(set) var shortcomings: [String] = []
  /// Different connections that are allowed.
  package let accesses: Int
  package let rules: Int
  package let policy: Policy?
  /// What the reader of policies says of the text; empty, or a mistake of this program.
  package let diagnostics: [Diagnostic]

  package var testsText: String { "version: 1\n" + testsBody }
  /// Policy and tests in one file.
  package var wholeText: String { policyText + testsBody }

  package init(_ suggestion: Suggestion) {
    let seen = suggestion.seen.sorted { ($0.identity, $0.access) < ($1.identity, $1.access) }
    let callers = SuggestedCallers(
      Set(seen.map(\.identity)).sorted(), generalised: suggestion.options.generalised)
    let kept = suggestion.options.kept
    let reserved = Set((kept ?? []).flatMap(\.rules).map(\.name.value))
    let rules = SuggestedRules(seen, callers, reservedNames: reserved).rules
    var text = Self.header(suggestion, seen.count) + "version: 1\n"
    if kept == nil {
      text += callers.entries.isEmpty ? "callers: []\n" : "callers:\n"
      text += callers.entries.map(PolicyText.caller).joined()
    }
    text += rules.isEmpty ? "rules: []\n" : "rules:\n" + rules.map(PolicyText.rule).joined(separator: "\n")
    policyText = text
    accesses = seen.count
    self.rules = rules.count
    let (document, findings) = PolicyReader.read(Array(text.utf8), file: "policy.yaml")
    let (policy, more) = Policy.compile(
      (kept ?? []).map(\.callersOnly) + [document ?? PolicyDocument(file: "policy.yaml")], listeners: nil)
    self.policy = document == nil ? nil : policy
    diagnostics = findings + more
    guard let policy = self.policy else {
      testsBody = "tests: []\n"
      return
    }
    let tests = SuggestedTests(seen, callers, policy, givesTime: kept != nil)
    testsBody = tests.text
    shortcomings = tests.shortcomings
  }

  private static func header(_ suggestion: Suggestion, _ accesses: Int) -> String {
    var text = PolicyText.comment("The least policy that allows what the log shows as allowed.")
    let count = suggestion.seen.reduce(0) { $0 + $1.count }
    let span = count > 0 ? ", \(suggestion.first.rfc3339) to \(suggestion.last.rfc3339)" : ""
    text += PolicyText.comment(
      "\(count) of \(suggestion.decisions) recorded connections, \(accesses) of them different\(span).")
    text += PolicyText.comment(
      "Everything is matched exactly. What may vary is for you to say: with --generalise, or by hand.")
    if !suggestion.options.generalised.isEmpty {
      let names = suggestion.options.generalised.map(\.name).sorted().joined(separator: ", ")
      text += PolicyText.comment("Generalised: \(names).")
    }
    let refused = suggestion.refused.sorted { ($0.key ?? "\u{10ffff}") < ($1.key ?? "\u{10ffff}") }
    if !refused.isEmpty { text += "#\n" + PolicyText.comment("Seen, and not allowed by this policy:") }
    for (why, count) in refused {
      text += PolicyText.comment("  \(count) × \(why ?? "others, for reasons that are not told apart")")
    }
    return text + "\n"
  }
}
