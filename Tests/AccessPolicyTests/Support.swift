import AccessPolicy

/// Short ways to write policies, facts and moments.
enum Make {
  static func place(_ line: Int = 1) -> SourceLocation { SourceLocation(file: "p.yaml", line: line) }

  static func condition(_ field: Field, _ matchers: ValueMatcher...) -> Condition {
    Condition(
      field: field, alternatives: matchers.map { Located($0, at: place()) }, location: place())
  }

  static func caller(_ name: String, groups: [String] = [], _ match: Condition...) -> CallerEntry {
    CallerEntry(
      name: Located(name, at: place()), groups: groups.map { Located($0, at: place()) }, match: match)
  }

  static func rule(
    _ name: String, _ action: RuleEntry.Action = .allow, callers: [String]? = nil,
    listeners: [String]? = nil, when: [Condition] = [], unless: [Condition] = [],
    mode: RuleEntry.Mode = .enforce, expires: Timestamp? = nil
  ) -> RuleEntry {
    RuleEntry(
      name: Located(name, at: place()), action: action,
      callers: callers?.map { Located($0, at: place()) },
      listeners: listeners?.map { Located($0, at: place()) }, when: when, unless: unless, mode: mode,
      expires: expires.map { Located($0, at: place()) })
  }

  static func facts(_ values: (Field, FactValue)...) -> Facts {
    var facts = Facts()
    for (field, value) in values { facts[field] = value }
    return facts
  }

  static func uri(_ texts: String..., listener: String = "db") -> Facts {
    facts((.sanURI, .texts(texts)), (.listener, .text(listener)))
  }

  static let worker = caller("worker/{w}", groups: ["workers"], condition(.sanURI, .plain("x://w/{w}")))
  static let now = Timestamp(seconds: 1_800_000_000)

  static func compile(
    _ callers: [CallerEntry], _ rules: [RuleEntry], listeners: [String]? = ["db", "api"]
  ) -> (policy: Policy?, diagnostics: [Diagnostic]) {
    Policy.compile(
      [PolicyDocument(file: "p.yaml", callers: callers, rules: rules)], listeners: listeners)
  }

  static func decide(
    _ callers: [CallerEntry] = [worker], _ rules: [RuleEntry], _ facts: Facts = uri("x://w/a"),
    at: Timestamp = now
  ) throws -> Decision {
    let (policy, diagnostics) = compile(callers, rules)
    guard let policy else { throw CompileFailure(diagnostics: diagnostics) }
    return policy.decide(facts, at: at)
  }
}

struct CompileFailure: Error { let diagnostics: [Diagnostic] }
