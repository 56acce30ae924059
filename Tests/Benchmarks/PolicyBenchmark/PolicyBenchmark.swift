import AccessPolicy
import GatewayConfiguration

/// How long a large set of policies takes to load, and one decision with it.
///
///     COUNTERSIGN_BENCHMARKS=1 swift run -c release --scratch-path .build-benchmarks PolicyBenchmark
@main
enum PolicyBenchmark {
  static let ruleCount = 100_000
  static let callerCount = 10_000
  static let listeners = ["orders-db", "billing-db"]

  static func main() {
    let text = policyText()
    print("\(ruleCount) rules and \(callerCount) callers, \(text.utf8.count / 1_000_000) MB of YAML")
    let clock = ContinuousClock()
    var document: PolicyDocument?
    let reading = clock.measure { document = PolicyReader.read(Array(text.utf8), file: "p.yaml").document }
    guard let document else { return print("the policy text has errors") }
    var policy: Policy?
    let compiling = clock.measure { policy = Policy.compile([document], listeners: listeners).policy }
    guard let policy else { return print("the policies have errors") }
    report("read", reading)
    report("compile", compiling)
    report("load in all", reading + compiling)
    let linting = clock.measure {
      let linted = listeners.map { LintedListener(name: $0, upstream: $0, wireProtocol: "tcp") }
      _ = policy.lint([document], listeners: linted, at: Timestamp(seconds: 1_800_000_000))
    }
    report("lint", linting)
    for (name, facts) in situations { decide(name, facts, policy) }
  }

  private static func policyText() -> String {
    var text = "version: 1\ncallers:\n"
    for number in 0..<callerCount {
      text += "  - name: worker/w\(number)\n    groups: [g\(number % 100)]\n"
      text += "    match: { san_uri: \"spiffe://acme.example/worker/w\(number)\" }\n"
    }
    text += "rules:\n"
    for number in 0..<ruleCount {
      text += "  - name: rule-\(number)\n    action: allow\n    callers: [worker/w\(number % callerCount)]\n"
      text += "    listeners: [\(listeners[number % 2])]\n"
      text += "    when: { postgres_database: db\(number), postgres_user: [a\(number), b\(number)] }\n"
    }
    return text
  }

  private static var situations: [(String, Facts)] {
    let base = ruleCount - callerCount
    return [
      ("allowed", facts("worker/w42", database: "db\(base + 42)", user: "b\(base + 42)")),
      ("denied", facts("worker/w42", database: "db1", user: "a1")),
      ("unmapped", facts("printer/w42", database: "db1", user: "a1")),
    ]
  }

  private static func facts(_ path: String, database: String, user: String) -> Facts {
    var facts = Facts()
    facts[.sanURI] = .texts(["spiffe://acme.example/\(path)"])
    facts[.listener] = .text(listeners[0])
    facts[.postgresDatabase] = .text(database)
    facts[.postgresUser] = .text(user)
    return facts
  }

  private static func decide(_ name: String, _ facts: Facts, _ policy: Policy) {
    let rounds = 200_000
    let now = Timestamp(seconds: 1_800_000_000)
    var allowed = 0
    let time = ContinuousClock().measure {
      for _ in 0..<rounds where policy.decide(facts, at: now).verdict == .allow { allowed += 1 }
    }
    let nanoseconds = Int(time / rounds / .nanoseconds(1))
    print("decide, \(name): \(nanoseconds) ns (\(allowed == rounds ? "allow" : "deny"))")
  }

  private static func report(_ name: String, _ time: Duration) {
    print("\(name): \(Int(time / .milliseconds(1))) ms")
  }
}
