package import AccessPolicy

/// What came of one policy test.
package struct PolicyTestResult: Sendable {
  /// Something that came out otherwise than the test expects.
  package struct Mismatch: Hashable, Sendable {
    /// The key of the test: `expect`, `caller`, `rule`, `reason` or `shadow`.
    package var key: String
    package var expected: String
    package var got: String
    package var location: SourceLocation
  }

  package var test: PolicyTest
  package var decision: Decision
  package var mismatches: [Mismatch]
  /// Why it came out so, one ground a line; empty where the test has passed.
  package var grounds: [String]
  package var duration: Duration

  package var location: SourceLocation { test.name.location }
  package var hasPassed: Bool { mismatches.isEmpty }
}

extension PolicyTestResult {
  /// - Parameter now: the moment to judge for where the test names none.
  static func run(_ test: PolicyTest, _ policy: Policy, now: Timestamp) -> PolicyTestResult {
    let at = test.at ?? now
    let clock = ContinuousClock()
    let start = clock.now
    let decision = policy.decide(test.given, at: at)
    let mismatches = mismatches(test, decision)
    let grounds = mismatches.isEmpty ? [] : TestGrounds.lines(test, policy.explain(test.given, at: at))
    return PolicyTestResult(
      test: test, decision: decision, mismatches: mismatches, grounds: grounds,
      duration: clock.now - start)
  }

  private static func mismatches(_ test: PolicyTest, _ decision: Decision) -> [Mismatch] {
    var found: [Mismatch] = []
    func compare(_ key: String, _ expected: String?, _ got: String?, _ location: SourceLocation?) {
      guard let expected, expected != got else { return }
      found.append(
        Mismatch(key: key, expected: expected, got: got ?? "none", location: location ?? test.name.location))
    }
    compare("expect", test.expect.rawValue, decision.verdict.rawValue, nil)
    compare("caller", test.caller?.value, decision.caller?.name, test.caller?.location)
    compare("rule", test.rule?.value, decision.rule, test.rule?.location)
    compare("reason", test.reason?.value.rawValue, decision.reason.rawValue, test.reason?.location)
    compare("shadow", test.shadow?.value.rawValue, decision.shadow.verdict.rawValue, test.shadow?.location)
    return found
  }
}
