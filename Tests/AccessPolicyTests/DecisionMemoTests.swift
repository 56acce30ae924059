import Testing

@testable import AccessPolicy

/// What was said once is said again, and no longer than it is true. ReferenceTests compares it with the judge.
struct DecisionMemoTests {
  private func memo(_ rules: RuleEntry...) throws -> DecisionMemo {
    DecisionMemo(try #require(Make.compile([Make.worker], rules).policy))
  }

  private func facts(_ uri: String, notAfter seconds: Int64 = 1000) -> Facts {
    var facts = Make.uri(uri)
    facts[.notAfter] = .instant(Timestamp(seconds: Make.now.seconds + seconds))
    return facts
  }

  private func after(_ seconds: Int64) -> Timestamp { Timestamp(seconds: Make.now.seconds + seconds) }

  @Test func thoseThatAreAlikeInWhatIsAskedAreJudgedOnce() throws {
    var memo = try memo(Make.rule("r"))
    let one = memo.decide(facts("x://w/a"), at: Make.now)
    #expect(memo.decide(facts("x://w/a", notAfter: 5), at: after(1)) == one)
    #expect(memo.known.count == 1)
    #expect(memo.decide(facts("x://w/b"), at: Make.now).caller?.name != one.caller?.name)
    #expect(memo.known.count == 2)
  }

  @Test func anEndedRuleIsNotRemembered() throws {
    var memo = try memo(Make.rule("r", expires: after(10)))
    let facts = facts("x://w/a")
    #expect(memo.decide(facts, at: Make.now).verdict == .allow)
    #expect(memo.nextChange(after: Make.now) == after(10))
    #expect(memo.decide(facts, at: after(10)).verdict == .deny)
    #expect(memo.nextChange(after: after(10)) == nil)
    // The clock was set back.
    #expect(memo.decide(facts, at: after(9)).verdict == .allow)
  }

  @Test func timeThatIsLeftIsCountedEachTime() throws {
    var memo = try memo(Make.rule("r", when: [Make.condition(.validFor, .range(min: "10s", max: nil))]))
    #expect(memo.decide(facts("x://w/a", notAfter: 100), at: Make.now).verdict == .allow)
    #expect(memo.decide(facts("x://w/a", notAfter: 100), at: after(95)).verdict == .deny)
    #expect(memo.known.isEmpty)
  }

  @Test func anUnreadableNameIsNobodyElses() throws {
    var memo = try memo(Make.rule("r"))
    #expect(memo.decide(facts("x://w/a"), at: Make.now).verdict == .allow)
    var unreadable = facts("x://w/a")
    unreadable.unreadableNames = [UnreadableName(place: "san_uri", problem: "contains NUL")]
    #expect(memo.decide(unreadable, at: Make.now).reason == .nameUnreadable)
  }

  /// "é" is two names, which two people may have.
  @Test func textsAreAlikeByteByByteAlone() throws {
    var memo = try memo(
      Make.rule("r"), Make.rule("d", .deny, when: [Make.condition(.postgresUser, .plain("jos\u{e9}"))]))
    func connecting(as user: String) -> Facts {
      var facts = facts("x://w/a")
      facts[.postgresUser] = .text(user)
      return facts
    }
    #expect(memo.decide(connecting(as: "jose\u{301}"), at: Make.now).verdict == .allow)
    #expect(memo.decide(connecting(as: "jos\u{e9}"), at: Make.now).verdict == .deny)
    #expect(FactValue.texts(["\u{e9}"]) != .texts(["e\u{301}"]))
    #expect(Caller(name: "\u{e9}") != Caller(name: "e\u{301}"))
    #expect(Caller(name: "a", groups: ["\u{e9}"]) != Caller(name: "a", groups: ["e\u{301}"]))
    #expect(
      Caller(name: "a", captures: ["n": "\u{e9}"]) != Caller(name: "a", captures: ["n": "e\u{301}"]))
  }

  @Test func itStaysSmall() throws {
    var memo = try memo(Make.rule("r"))
    for number in 0...DecisionMemo.limit { _ = memo.decide(facts("x://w/\(number)"), at: Make.now) }
    #expect(memo.known.count == 1)
  }
}
