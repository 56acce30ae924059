import AccessPolicy
import Testing

/// Certificate to caller: first entry, one name, no forging.
struct CallerTests {
  private func decision(_ callers: [CallerEntry], _ facts: Facts) throws -> Decision {
    try Make.decide(callers, [Make.rule("all")], facts)
  }

  @Test func theFirstEntryThatMatchesNamesTheCaller() throws {
    let callers = [
      Make.caller("special", Make.condition(.sanURI, .plain("x://w/a"))), Make.worker,
      Make.caller("any", Make.condition(.sanURI, .regex(".*"))),
    ]
    #expect(try decision(callers, Make.uri("x://w/a")).caller?.name == "special")
    #expect(try decision(callers, Make.uri("x://w/b")).caller?.name == "worker/b")
    #expect(try decision(callers, Make.uri("y://w/b")).caller?.name == "any")
  }

  @Test func captures() throws {
    let caller = try #require(try decision([Make.worker], Make.uri("x://w/a")).caller)
    #expect(caller.captures == ["w": "a"])
    #expect(caller.groups == ["workers"])
  }

  @Test func allConditionsMustHold() throws {
    let caller = Make.caller(
      "w", Make.condition(.sanURI, .plain("x://w/a")), Make.condition(.keyBits, .range(min: "256", max: nil)))
    #expect(try decision([caller], Make.uri("x://w/a")).reason == .callerUnmapped)
    var facts = Make.uri("x://w/a")
    facts[.keyBits] = .integer(256)
    #expect(try decision([caller], facts).caller?.name == "w")
  }

  static let ambiguous: [(CallerEntry, Facts)] = [
    // Two values of one field that give two names.
    (Make.worker, Make.uri("x://w/a", "x://w/b")),
    // One name, but what was captured differs, and rules may ask for it.
    (
      Make.caller("workers", Make.condition(.sanURI, .plain("x://w/{w}"))), Make.uri("x://w/a", "x://w/b")
    ),
    // Two fields.
    (
      Make.caller(
        "{w}/{o}", Make.condition(.sanURI, .plain("x://w/{w}")), Make.condition(.subjectO, .plain("{o}"))),
      Make.facts((.sanURI, .texts(["x://w/a"])), (.subjectO, .texts(["p", "q"])))
    ),
    // Two spellings of what looks the same.
    (Make.worker, Make.uri("x://w/é", "x://w/e\u{301}")),
  ]

  @Test(arguments: ambiguous)
  func twoNamesAreNone(_ caller: CallerEntry, _ facts: Facts) throws {
    let decision = try decision([caller], facts)
    #expect(decision.verdict == .deny)
    #expect(decision.reason == .callerAmbiguous)
    #expect(decision.caller == nil)
  }

  @Test func otherValuesBesideTheOneThatMatchesDoNoHarm() throws {
    #expect(try decision([Make.worker], Make.uri("x://w/a", "y://z", "x://w/a")).caller?.name == "worker/a")
  }

  @Test func fieldsThatCaptureTheSameNameMustAgree() throws {
    let caller = Make.caller(
      "w/{w}", Make.condition(.sanURI, .plain("x://w/{w}")), Make.condition(.subjectCN, .plain("{w}")))
    let same = Make.facts((.sanURI, .texts(["x://w/a"])), (.subjectCN, .texts(["a"])))
    let other = Make.facts((.sanURI, .texts(["x://w/a"])), (.subjectCN, .texts(["b"])))
    #expect(try decision([caller], same).caller?.name == "w/a")
    #expect(try decision([caller], other).reason == .callerUnmapped)
  }

  static let forged: [(ValueMatcher, String)] = [
    (.plain("x://w/{w}"), "x://w/a/b"), (.regex("x://w/(?<w>.*)"), "x://w/a/b"),
    (.regex("x://w/(?<w>.*)"), "x://w/"), (.regex("(?s)x://w/(?<w>.*)"), "x://w/a\nb"),
    (.regex("x://w/(?<w>.*)"), "x://w/*"), (.plain("x://w/{w}"), "x://w/"), (.plain("x://w/{w}"), "X://w/a"),
    (.plain("x://w/a"), "x://w/A"), (.plain("é"), "e\u{301}"), (.glob("x://w/*"), "x://w/a/b"),
  ]

  @Test(arguments: forged)
  func whatWouldForgeANameDoesNotMatch(_ matcher: ValueMatcher, _ value: String) throws {
    let name = matcher == .plain("x://w/{w}") ? "w/{w}" : "w"
    let caller = Make.caller(name, Make.condition(.sanURI, matcher))
    #expect(try decision([caller], Make.uri(value)).reason == .callerUnmapped)
  }

  @Test func hostNamesHaveNoCase() throws {
    let caller = Make.caller("h/{h}", Make.condition(.sanDNS, .plain("{h}.Example.COM")))
    #expect(try decision([caller], Make.facts((.sanDNS, .texts(["A.example.com"])))).caller?.name == "h/a")
    #expect(try decision([caller], Make.facts((.sanDNS, .texts(["*.example.com"])))).caller == nil)
  }

  @Test(arguments: ["0A:1B", "0a1b", "a1b", "A:1B"])
  func serialsAreNumbers(_ text: String) throws {
    let caller = Make.caller("c", Make.condition(.serial, .plain(text)))
    #expect(try decision([caller], Make.facts((.serial, .text("a1b")))).caller?.name == "c")
  }

  @Test func aRegexAtItsLimitDenies() throws {
    let caller = Make.caller("c", Make.condition(.sanURI, .regex("(a+)+[bc]")))
    let decision = try decision([caller, Make.worker], Make.uri(String(repeating: "a", count: 4000)))
    #expect(decision.verdict == .deny)
    #expect(decision.reason == .patternLimit)
  }

  @Test func anUnreadableNameDeniesWhateverThePolicySays() throws {
    var facts = Make.uri("x://w/a")
    facts.unreadableNames = [UnreadableName(place: "san_dns", problem: "contains NUL")]
    let decision = try decision([Make.worker], facts)
    #expect(decision.verdict == .deny)
    #expect(decision.reason == .nameUnreadable)
    #expect(decision.detail == "san_dns: contains NUL")
  }
}
