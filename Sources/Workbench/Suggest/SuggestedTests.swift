internal import AccessPolicy
internal import Patterns

/// The tests of a suggestion: each connection that was seen, and connections that are almost like one and must
/// not be let in. All of them were judged by the policy before they are written.
struct SuggestedTests {
  private(set) var text = ""
  /// What was seen, and is not allowed.
  private(set) var shortcomings: [String] = []

  private let policy: Policy
  private let asked: [Field]
  private let givesTime: Bool
  private var names: Set<String> = []

  /// - Parameter givesTime: whether the time of day may matter.
  init(_ seen: [Suggestion.Seen], _ callers: SuggestedCallers, _ policy: Policy, givesTime: Bool) {
    self.policy = policy
    self.givesTime = givesTime
    asked = Field.allCases.filter { policy.askedFields.contains($0) && $0 != .time && $0 != .validFor }
    var rulesWithMisses: Set<String> = []
    var callersWithMisses: Set<String> = []
    for one in seen {
      let decision = policy.decide(one.sample, at: one.time)
      let who = callers.names[one.identity] ?? ""
      guard decision.verdict == .allow, let rule = decision.rule, decision.caller?.name.isExactly(who) == true
      else {
        shortcomings.append(
          "\(who) at \(one.access.listener?.text ?? "any listener"): \(decision.reason.rawValue)")
        continue
      }
      let given = only(one.sample)
      add("\(who) \(Self.place(one.access))", given, one.time, .allow, who, rule: rule)
      if rulesWithMisses.insert(rule).inserted {
        for miss in misses(of: one.access, given) { deny("\(who) \(miss.what)", miss.facts, one.time) }
      }
      if callersWithMisses.insert(who).inserted {
        for miss in impostors(of: one.identity, given) { deny("\(miss.what) \(who)", miss.facts, one.time) }
      }
    }
    var nobody = Facts()
    nobody[.listener] = .text(seen.first?.access.listener?.text ?? "anywhere")
    deny("nobody", nobody, seen.first?.time ?? Timestamp(seconds: 0))
    text = text.isEmpty ? "tests: []\n" : "\ntests:\n" + text
  }

  /// What the policy can ask of the facts.
  private func only(_ facts: Facts) -> Facts {
    var kept = Facts()
    for field in asked { kept[field] = facts[field] }
    return kept
  }

  private static func place(_ access: Access) -> String {
    let values = access.claims.map { "\($0.field.name) \($0.value?.text ?? "absent")" }
    return (["at \(access.listener?.text ?? "any listener")"] + values).joined(separator: ", ")
  }

  private func misses(of access: Access, _ facts: Facts) -> [(what: String, facts: Facts)] {
    var misses: [(what: String, facts: Facts)] = []
    if access.listener != nil {
      var other = facts
      // Not by an invented name, which `check` would take for a misspelt one.
      other[.listener] = nil
      misses.append(("at no listener that is named", other))
    }
    for claim in access.claims {
      var other = facts
      other[claim.field] = .text((claim.value?.text ?? "") + "_other")
      misses.append(("with another \(claim.field.name)", other))
    }
    return misses
  }

  private func impostors(of identity: Identity, _ facts: Facts) -> [(what: String, facts: Facts)] {
    identity.match.flatMap { value -> [(what: String, facts: Facts)] in
      let texts: [String] =
        switch value.field {
        case .sanURI: [value.value.text + "x", value.value.text + "/x"]
        case .sanDNS: ["x" + value.value.text, "x." + value.value.text]
        case .sha256: [String(value.value.text.reversed())]
        default: [value.value.text + "x"]
        }
      return texts.map { text in
        var other = facts
        other[value.field] = value.field.kind == .texts ? .texts([text]) : .text(text)
        return ("almost \(value.field.name) of", other)
      }
    }
  }

  /// A near miss that the policy allows, because somebody asked for it to be general, is no test.
  private mutating func deny(_ name: String, _ facts: Facts, _ time: Timestamp) {
    let decision = policy.decide(facts, at: time)
    guard decision.verdict == .deny else { return }
    add(name, facts, time, .deny, decision.caller?.name, rule: nil)
  }

  private mutating func add(
    _ name: String, _ facts: Facts, _ time: Timestamp, _ verdict: Verdict, _ caller: String?, rule: String?
  ) {
    var given: [String] = []
    for field in facts.fields {
      let values = facts[field]?.texts ?? []
      // A test cannot say everything that a client can.
      guard values.allSatisfy(PolicyText.isGivable) else { return }
      if values.isEmpty { continue }
      let texts = values.map(PolicyText.quoted)
      given.append("\(field.name): \(texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]")")
    }
    var unique = name
    var number = 2
    while !names.insert(unique).inserted {
      unique = "\(name) (\(number))"
      number += 1
    }
    guard PolicyText.isGivable(unique) else { return }
    text += "  - name: \(PolicyText.quoted(unique))\n    given: { \(given.joined(separator: ", ")) }\n"
    if givesTime { text += "    at: \(PolicyText.quoted(time.rfc3339))\n" }
    text += "    expect: \(verdict.rawValue)\n"
    if let caller { text += "    caller: \(PolicyText.quoted(caller))\n" }
    if let rule { text += "    rule: \(PolicyText.quoted(rule))\n" }
  }
}
