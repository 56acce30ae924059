import Patterns
import Testing

struct GlobTests {
  static let matching: [(String, String)] = [
    ("worker/orders", "worker/orders"), ("*", "worker"), ("*", ""), ("worker/*", "worker/orders"),
    ("**", "a/b/c"), ("**", ""), ("a/**", "a/b/c"), ("a/**/d", "a/b/c/d"), ("*/b", "a/b"), ("a*c", "abc"),
    ("a*c", "ac"), ("a*b*c", "axxbyyc"), ("**b", "a/b"), ("***", "a/b"), ("a**", "a"), ("é*", "éa"),
    ("**a*b", "a/aab"), ("**/*", "a/b"), ("*/**/*.x", "a/b/c/d.x"), ("**a*/b", "/a/b"), ("**b**", "abc"),
    ("*a*a*a*b", "aaaaaaaaab"), ("a/*/c/**/f", "a/b/c/d/e/f"),
  ]

  static let notMatching: [(String, String)] = [
    ("worker/orders", "worker/orders2"), ("worker/orders", "Worker/orders"), ("*", "a/b"),
    ("worker/*", "worker/a/b"), ("worker/*", "worker"), ("a*c", "a/c"), ("a/**/d", "a/d"), ("", "a"),
    ("**a*b", "aa/b"), ("**/*", "a"), ("*/**/*.x", "a/b.x"), ("**a*/b", "a/a/a"),
    ("*a*a*a*b", "aaaaaaaaaa"), ("**/x", "x"), ("a/*/c/**/f", "a/b/b/c/d/f/g"), ("é", "e\u{301}"),
  ]

  @Test(arguments: matching)
  func matches(_ pattern: String, _ text: String) { #expect(Glob(pattern).matches(text)) }

  @Test(arguments: notMatching)
  func doesNotMatch(_ pattern: String, _ text: String) { #expect(!Glob(pattern).matches(text)) }

  /// A pattern that would take exponential time by plain backtracking.
  @Test func manyStarsStayCheap() {
    let pattern = Glob(String(repeating: "*a", count: 200) + "b")
    #expect(!pattern.matches(String(repeating: "a", count: 20_000)))
  }

  /// For each place of the `**` the `*` behind it would have to be tried anew.
  @Test func starsOfBothKindsStayCheap() {
    #expect(!Glob("**a*b").matches(String(repeating: "a", count: 200_000)))
    #expect(Glob("**a*b").matches(String(repeating: "a", count: 200_000) + "b"))
  }

  static let overlapping: [(String, String, Bool)] = [
    ("a", "a", true), ("a", "b", false), ("a/*", "a/b", true), ("a/*", "a/b/c", false),
    ("a/**", "a/b/c", true),
    ("a*", "*b", true), ("a/*", "*/b", true), ("*", "a/b", false), ("*x", "y*", true), ("*/a", "**b", false),
    ("**", "a/b", true), ("", "*", true), ("", "a", false), ("w/*-x", "w/y*", true), ("*a", "*b", false),
    ("a/*/c", "**/b/*", true), ("a/*", "b/**", false),
  ]

  @Test(arguments: overlapping)
  func twoGlobsMeet(_ first: String, _ second: String, _ meet: Bool) {
    #expect(Glob(first).overlaps(Glob(second)) == meet)
    #expect(Glob(second).overlaps(Glob(first)) == meet)
  }

  static let covering: [(String, String, Bool)] = [
    ("**", "a/*", true), ("*", "a*", true), ("a/*", "a/b", true), ("a/*", "a/*", true),
    ("a/**", "a/*/c", true),
    ("*", "**", false), ("*/*", "**", false), ("a/*", "a/**", false), ("a", "*", false), ("a*", "*", false),
    ("**/x", "**", false), ("a**b", "a*b", true), ("a*b", "a**b", false), ("w/*-x", "w/y-x", true),
    ("w/*-x", "w/y*", false), ("", "", true), ("a", "b", false),
  ]

  @Test(arguments: covering)
  func oneGlobCoversAnother(_ broad: String, _ narrow: String, _ covers: Bool) {
    #expect(Glob(broad).covers(Glob(narrow)) == covers)
  }

  @Test func aGlobWithoutStarsIsItsText() {
    #expect(Glob("worker/orders").literal == "worker/orders")
    #expect(Glob("worker/*").literal == nil)
  }
}
