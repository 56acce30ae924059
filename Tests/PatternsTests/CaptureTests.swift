import Patterns
import Testing

struct CaptureTests {
  private func pattern(_ text: String, separator: Character = "/") throws -> CapturePattern {
    try CapturePattern(try CaptureTemplate(text), separator: separator.asciiValue ?? 0)
  }

  static let matching: [(String, String, [String])] = [
    ("spiffe://a/worker/{w}", "spiffe://a/worker/orders", ["orders"]),
    ("{w}", "orders", ["orders"]), ("{a}/{b}", "x/y", ["x", "y"]), ("dev-{id}", "dev-7", ["7"]),
    ("{id}-dev", "7-dev", ["7"]), ("{id}-dev", "7-dev-dev", ["7-dev"]), ("a/{b}-x/c", "a/1-x/c", ["1"]),
    ("{a}", "naïve", ["naïve"]), ("plain", "plain", []), ("{a}%2F", "x%2F", ["x"]),
    ("{u}@{d}", "me@a.example", ["me", "a.example"]), ("{a}-{b}/{c}", "1-2/3", ["1", "2", "3"]),
    ("v{a}.{b}.{c}-x", "v1.2.3-x", ["1", "2", "3"]), ("{a}é{b}", "xéy", ["x", "y"]),
    ("{a}--{b}", "x--y", ["x", "y"]),
  ]

  @Test(arguments: matching)
  func captures(_ text: String, _ value: String, _ expected: [String]) throws {
    let captures = try #require(try pattern(text).match(value))
    #expect(captures.pairs.map(\.value) == expected)
  }

  static let notMatching: [(String, String)] = [
    ("spiffe://a/worker/{w}", "spiffe://a/worker/"), ("spiffe://a/worker/{w}", "spiffe://a/worker/a/b"),
    ("spiffe://a/worker/{w}", "spiffe://a/worker/a/"), ("spiffe://a/worker/{w}", "xspiffe://a/worker/a"),
    ("spiffe://a/worker/{w}", "SPIFFE://a/worker/a"), ("{w}", "a\u{0}b"), ("{w}", "a\nb"), ("{w}", "*"),
    ("{w}", "a\u{85}b"), ("{w}", ""), ("{w}-x", "-x"), ("{w}-x", "a-y"), ("plain", "plain2"),
    ("é{w}", "e\u{301}a"), ("{w}", "a\u{202E}b"), ("{w}", "a\u{200B}"), ("{w}", "a\u{2028}b"),
    ("{a}-{b}", "-x"), ("{a}-{b}", "x-"), ("{a}-{b}", "-"), ("{a}-{b}", "x"), ("a{b}a", "a"), ("a{b}a", "aa"),
    // Read in two ways, each as good as the other.
    ("{a}-{b}", "x-y-z"), ("{u}@{d}", "root@a@b"), ("{a}--{b}", "x---y"),
  ]

  /// What would forge another name, or hide in one.
  @Test(arguments: notMatching)
  func refuses(_ text: String, _ value: String) throws { #expect(try pattern(text).match(value) == nil) }

  @Test func aValueWithTwoReadingsHasBoth() throws {
    let readings = try pattern("{a}-{b}").readings("x-y-z")
    #expect(readings.map { $0.pairs.map(\.value) } == [["x", "y-z"], ["x-y", "z"]])
    #expect(try pattern("{a}-{b}").readings("x-y").count == 1)
  }

  /// What a peer could make expensive: a literal that nearly matches everywhere.
  @Test func longValuesStayCheap() throws {
    let pattern = try pattern("{a}aab{b}aab{c}aab{d}")
    #expect(pattern.match(String(repeating: "a", count: 60_000)) == nil)
  }

  @Test func aDNSSegmentEndsAtADot() throws {
    let pattern = try pattern("{host}.example.com", separator: ".")
    #expect(pattern.match("a.example.com")?["host"] == "a")
    #expect(pattern.match("a.b.example.com") == nil)
    #expect(pattern.match("*.example.com") == nil)
  }

  static let invalid: [(String, String)] = [
    ("{", "'{' is not closed"), ("}", "'}' without '{'"), ("{}", "'{}' is no capture"),
    ("{1a}", "'{1a}' is no capture"), ("{a b}", "'{a b}' is no capture"), ("{a}/{a}", "{a} stands twice"),
    ("{a}{b}", "{a} and {b} stand side by side, so nobody could tell where one ends"),
    ("x/{a}-{b}{c}", "{b} and {c} stand side by side"),
  ]

  @Test(arguments: invalid)
  func saysWhatIsWrong(_ text: String, _ words: String) {
    let error = #expect(throws: PatternError.self) { try pattern(text) }
    #expect(error?.message.contains(words) == true)
  }

  @Test func aTemplateIsFilledOnlyWhole() throws {
    let template = try CaptureTemplate("{worker}_rw")
    #expect(template.filled { $0 == "worker" ? "orders" : nil } == "orders_rw")
    #expect(template.filled { _ in nil } == nil)
  }

  @Test func theSameNameMustCaptureTheSameBytes() {
    var captures = Captures()
    let answers = ["é", "e\u{301}", "é"].map { captures.add("a", $0) }
    #expect(answers == [true, false, true])
  }
}

struct ExactTextTests {
  @Test func whatLooksTheSameIsNotTheSame() {
    #expect("é" == "e\u{301}")
    #expect(ExactText("é") != ExactText("e\u{301}"))
    #expect(ExactText("é") == ExactText("\u{e9}"))
    #expect(Set([ExactText("é"), ExactText("e\u{301}")]).count == 2)
  }
}

struct RegexTests {
  @Test(arguments: [("dev-[0-9a-f]{8}", "dev-0a1b2c3d"), ("a|ab", "ab"), ("(?i)abc", "ABC"), (".", "é")])
  func matchesTheWholeValue(_ regex: String, _ value: String) throws {
    let outcome = try BoundedRegex(regex).match(value)
    #expect(outcome == .matched(Captures()))
  }

  @Test(arguments: [("dev", "xdev"), ("dev", "devx"), ("dev$", "dev\n"), ("^dev", "\ndev"), ("a.c", "a\nc")])
  func isAnchoredAtBothEnds(_ regex: String, _ value: String) throws {
    #expect(try BoundedRegex(regex).match(value) == .notMatched)
  }

  @Test func caseIsIgnoredWhereAsked() throws {
    #expect(try BoundedRegex("Web[A-Z]+", ignoringCase: true).match("webx") == .matched(Captures()))
    #expect(try BoundedRegex("Web[A-Z]+").match("webx") == .notMatched)
  }

  @Test func errorsSayWhere() {
    let error = #expect(throws: PatternError.self) { try BoundedRegex("ab(c") }
    #expect(error == PatternError("missing closing parenthesis", offset: 4))
  }

  /// A compiled pattern is shared by all threads.
  @Test func manyThreadsMayAskAtOnce() async throws {
    let regex = try BoundedRegex("dev-(?<id>[0-9a-f]+)")
    await withTaskGroup(of: Bool.self) { group in
      for number in 0..<64 {
        group.addTask {
          (0..<200).allSatisfy { _ in
            guard case .matched(let captures) = regex.match("dev-\(number)") else { return false }
            return captures["id"] == "\(number)"
          }
        }
      }
      for await holds in group { #expect(holds) }
    }
  }

  @Test func namedGroupsCapture() throws {
    let regex = try BoundedRegex("dev-(?<id>[0-9a-f]+)(-(?<site>[a-z]+))?")
    #expect(regex.names.sorted() == ["id", "site"])
    guard case .matched(let captures) = regex.match("dev-0a") else {
      Issue.record("no match")
      return
    }
    #expect(captures["id"] == "0a")
    #expect(captures["site"] == nil || captures["site"] == "")
  }

  @Test func aCatastrophicPatternMeetsItsLimit() throws {
    let regex = try BoundedRegex("(a|aa|a?)+$b|(a+)+c")
    #expect(regex.match(String(repeating: "a", count: 4000)) == .limitExceeded)
  }

  @Test(arguments: ["(", "[", "(?<1>a)", "a{2,1}", "\\C", "(?<n>a)(?<n>b)"])
  func invalidPatternsAreRefused(_ regex: String) {
    let error = #expect(throws: PatternError.self) { try BoundedRegex(regex) }
    #expect(error?.message.isEmpty == false)
  }
}
