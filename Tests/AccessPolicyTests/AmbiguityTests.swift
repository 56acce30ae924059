import AccessPolicy
import Testing

/// What somebody with a valid certificate of another caller might have put into it.
struct AmbiguityTests {
  private static let admin = Make.caller("admin", Make.condition(.sanURI, .plain("x://w/admin")))
  private static let orders = Make.caller("orders", Make.condition(.sanURI, .plain("x://w/orders")))
  private static let rest = Make.caller("rest", Make.condition(.sanURI, .regex(".*")))

  private func outcome(_ callers: [CallerEntry], _ facts: Facts) throws -> String {
    let decision = try Make.decide(callers, [Make.rule("all")], facts)
    #expect((decision.verdict == .allow) == (decision.caller != nil))
    return decision.caller?.name ?? decision.reason.rawValue
  }

  static let entries: [([CallerEntry], [String], String)] = [
    // Two values, two entries, two names: the order of entries must not help to choose.
    ([admin, orders], ["x://w/admin", "x://w/orders"], "caller_ambiguous"),
    ([admin, orders], ["x://w/orders", "x://w/admin"], "caller_ambiguous"),
    ([orders, admin], ["x://w/orders", "x://w/admin"], "caller_ambiguous"),
    ([admin, Make.worker], ["x://w/admin", "x://w/orders"], "caller_ambiguous"),
    ([admin, rest], ["x://w/admin", "y://"], "caller_ambiguous"),
    // One value that two entries match: the first names it.
    ([admin, Make.worker], ["x://w/admin"], "admin"),
    ([Make.worker, admin], ["x://w/admin"], "worker/admin"),
    // Values that name nobody do no harm, nor does the same value twice.
    ([admin, orders], ["x://w/admin", "y://w/orders"], "admin"),
    ([admin, orders], ["x://w/admin", "x://w/admin"], "admin"),
    ([rest], ["x://w/admin", "y://"], "rest"),
    // Two values, one name by two entries.
    (
      [admin, Make.caller("admin", Make.condition(.sanURI, .plain("x://old/admin")))],
      ["x://w/admin", "x://old/admin"], "admin"
    ),
  ]

  @Test(arguments: entries)
  func twoNamesByTwoEntriesAreNone(_ callers: [CallerEntry], _ values: [String], _ expected: String) throws {
    #expect(try outcome(callers, Make.facts((.sanURI, .texts(values)))) == expected)
  }

  @Test func otherFieldsOfTheEntryMustStillHold() throws {
    let callers = ["devices", "servers"].map { unit in
      Make.caller(
        unit, Make.condition(.subjectOU, .plain(unit)), Make.condition(.subjectCN, .plain("x-\(unit)")))
    }
    let both = FactValue.texts(["devices", "servers"])
    let one = Make.facts((.subjectOU, both), (.subjectCN, .texts(["x-servers"])))
    #expect(try outcome(callers, one) == "servers")
    let two = Make.facts((.subjectOU, both), (.subjectCN, .texts(["x-servers", "x-devices"])))
    #expect(try outcome(callers, two) == "caller_ambiguous")
  }

  @Test func addressesAreNamesToo() throws {
    let callers = ["192.0.2.1", "192.0.2.2"].map { Make.caller($0, Make.condition(.sanIP, .plain($0))) }
    let addresses = ["192.0.2.1", "192.0.2.2"].compactMap { IPAddress($0) }
    #expect(try outcome(callers, Make.facts((.sanIP, .addresses([addresses[1]])))) == "192.0.2.2")
    #expect(try outcome(callers, Make.facts((.sanIP, .addresses(addresses)))) == "caller_ambiguous")
  }

  /// Different fields are not values of one field: the first entry names the caller.
  @Test func anotherFieldIsAnotherMatter() throws {
    let callers = [Self.admin, Make.caller("cn", Make.condition(.subjectCN, .plain("cn")))]
    let facts = Make.facts((.sanURI, .texts(["x://w/admin"])), (.subjectCN, .texts(["cn"])))
    #expect(try outcome(callers, facts) == "admin")
  }

  @Test func aValueWithTwoReadingsIsAmbiguous() throws {
    let callers = [
      Make.caller("{user}/{domain}", Make.condition(.sanEmail, .plain("{user}@{domain}"))), Self.admin,
    ]
    let mail = { (text: String) in Make.facts((.sanEmail, .texts([text]))) }
    #expect(try outcome(callers, mail("me@a.example")) == "me/a.example")
    #expect(try outcome(callers, mail("root@a@a.example")) == "caller_ambiguous")
  }

  @Test func thousandsOfValuesAreAmbiguousAndNotSlow() throws {
    let caller = Make.caller(
      "w", Make.condition(.sanURI, .plain("x://w/{w}")), Make.condition(.subjectCN, .plain("cn")))
    let values = FactValue.texts((0..<5000).map { "x://w/\($0)" })
    #expect(
      try outcome([caller], Make.facts((.sanURI, values), (.subjectCN, .texts(["cn"])))) == "caller_ambiguous"
    )
    // What fails otherwise is not matched, however many values there are.
    #expect(
      try outcome([caller], Make.facts((.sanURI, values), (.subjectCN, .texts(["x"])))) == "caller_unmapped")
  }

  static let forged: [(String, String)] = [
    ("x://w/%2e%2e%2fadmin", "worker/%2e%2e%2fadmin"), ("x://w/admin%00", "worker/admin%00"),
    ("x://w/ADMIN", "worker/ADMIN"), ("x://w/..", "worker/.."), ("x://w/\u{430}dmin", "worker/\u{430}dmin"),
    ("x://w/admin\u{200d}", "caller_unmapped"), ("x://w/\u{202e}nimda", "caller_unmapped"),
    ("x://w/admin\u{0}", "caller_unmapped"), ("x://w/a/../admin", "caller_unmapped"),
    ("x://w//admin", "caller_unmapped"), ("x://w/admin/", "caller_unmapped"),
    ("X://w/admin", "caller_unmapped"),
    ("x://w/group:admins", "worker/group:admins"),
  ]

  /// Nothing is decoded, folded or shortened on the way to a name, so nothing becomes another's name.
  @Test(arguments: forged)
  func valuesAreTakenAsTheyAre(_ value: String, _ expected: String) throws {
    #expect(try outcome([Self.admin, Make.worker], Make.uri(value)) == expected)
  }

  @Test func aCapturedGroupNameGivesNoGroup() throws {
    let callers = [
      Make.caller("{w}", Make.condition(.sanURI, .plain("x://w/{w}"))),
      Make.caller("other", groups: ["admins"], Make.condition(.subjectCN, .plain("other"))),
    ]
    let decision = try Make.decide(
      callers, [Make.rule("a", callers: ["group:admins"])], Make.uri("x://w/group:admins"))
    #expect(decision.caller?.name == "group:admins")
    #expect(decision.verdict == .deny)
  }

  /// A condition that fails settles it, whatever the limit of a regex left open.
  @Test func aLimitMattersOnlyWhereTheRestHolds() throws {
    let slow = Make.condition(.sanURI, .regex("(a+)+[bc]"))
    let callers = [Make.caller("slow", slow, Make.condition(.subjectCN, .plain("cn"))), Self.rest]
    var facts = Make.uri(String(repeating: "a", count: 4000))
    #expect(try outcome(callers, facts) == "rest")
    facts[.subjectCN] = .texts(["cn"])
    #expect(try outcome(callers, facts) == "pattern_limit")
    let rules = [
      Make.rule("all"), Make.rule("deny", .deny, when: [slow, Make.condition(.alpn, .plain("h2"))]),
    ]
    facts[.subjectCN] = nil
    #expect(try Make.decide([Self.rest], rules, facts).verdict == .allow)
    facts[.alpn] = .text("h2")
    let decision = try Make.decide([Self.rest], rules, facts)
    #expect(decision.reason == .patternLimit)
    #expect(decision.rule == "deny")
  }
}
