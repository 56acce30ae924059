package import AccessPolicy
internal import AuditLog

/// What came of all policy tests, and what none of them reaches.
package struct PolicyTestReport: Sendable {
  /// Policies with the tests that lie beside them.
  package struct Suite: Sendable {
    /// What people call it: a folder, or what the command line says.
    package var name: String
    package var results: [PolicyTestResult]
    /// Rules and entries of `callers`.
    package var items: [Policy.Item]
    package var reached: Set<Policy.Item>

    package var unreached: [Policy.Item] { items.filter { !reached.contains($0) } }
  }

  package private(set) var suites: [Suite] = []

  package init() {}

  /// Runs the tests of one set of policies.
  /// - Parameters:
  ///   - tests: as they were read.
  ///   - now: the moment to judge for where a test names none.
  package mutating func run(_ name: String, _ tests: [PolicyTest], _ policy: Policy, now: Timestamp) {
    var suite = Suite(name: name, results: [], items: policy.items, reached: [])
    for test in tests {
      let result = PolicyTestResult.run(test, policy, now: now)
      suite.reached.formUnion(policy.reached(by: result.decision, test.given, at: test.at ?? now))
      suite.results.append(result)
    }
    suites.append(suite)
  }

  package var results: [PolicyTestResult] { suites.flatMap(\.results) }
  package var failed: [PolicyTestResult] { results.filter { !$0.hasPassed } }
  package var unreached: [Policy.Item] { suites.flatMap(\.unreached) }
}

extension PolicyTestReport {
  /// For people: what failed and why, what no test reaches, and one line that sums up.
  package var text: String {
    var lines: [String] = []
    for result in failed {
      lines.append("\(result.location): FAIL: \(result.test.name.value)")
      lines += result.mismatches.map { "  \($0.location): \($0.key): got \($0.got), expected \($0.expected)" }
      lines += result.grounds.enumerated().map { "  \($0.offset == 0 ? "why: " : "     ")\($0.element)" }
    }
    lines += unreached.map { "\($0.location): no test reaches the \($0.kind.rawValue) '\($0.name)'" }
    lines.append(summary)
    return lines.map { AuditText.printable($0) + "\n" }.joined()
  }

  private var summary: String {
    let reach = [Policy.Item.Kind.caller, .rule].map { kind in
      let all = suites.flatMap(\.items).count { $0.kind == kind }
      return "\(kind.rawValue)s reached \(all - unreached.count { $0.kind == kind }) of \(all)"
    }
    let count = results.count
    return "\(count) test\(count == 1 ? "" : "s"), \(failed.count) failed; \(reach.joined(separator: ", "))"
  }

  /// Counts, every case with its place, and what no test reaches.
  /// - Parameter findings: warnings about the policy files.
  package func json(findings: [Diagnostic] = []) throws -> String {
    try JSONReport.text(
      JSONTree.object([
        "tests": .integer(results.count), "passed": .integer(results.count - failed.count),
        "failed": .integer(failed.count), "findings": .findings(findings),
        "cases": .array(suites.flatMap { suite in suite.results.map { tree($0, suite.name) } }),
        "coverage": .object([
          "callers": coverage(.caller), "rules": coverage(.rule),
        ]),
      ]))
  }

  private func tree(_ result: PolicyTestResult, _ suite: String) -> JSONTree {
    .object(
      [
        "name": .text(result.test.name.value), "suite": .text(suite), "passed": .flag(result.hasPassed),
        "verdict": .text(result.decision.verdict.rawValue), "reason": .text(result.decision.reason.rawValue),
        "caller": .text(result.decision.caller?.name), "rule": .text(result.decision.rule),
        "mismatches": .array(
          result.mismatches.map { mismatch in
            .object(
              [
                "key": .text(mismatch.key), "expected": .text(mismatch.expected), "got": .text(mismatch.got),
              ].merging(JSONTree.place(mismatch.location)) { first, _ in first })
          }),
        "why": .texts(result.grounds),
      ].merging(JSONTree.place(result.location)) { first, _ in first })
  }

  private func coverage(_ kind: Policy.Item.Kind) -> JSONTree {
    let missing = unreached.filter { $0.kind == kind }
    let all = suites.flatMap(\.items).count { $0.kind == kind }
    return .object([
      "total": .integer(all), "reached": .integer(all - missing.count),
      "unreached": .array(
        missing.map { item in
          .object(
            ["name": JSONTree.text(item.name)].merging(JSONTree.place(item.location)) { first, _ in first })
        }),
    ])
  }
}
