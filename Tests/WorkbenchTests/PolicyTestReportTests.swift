import AccessPolicy
import Foundation
import Testing
import Workbench

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// What `test` prints.
struct PolicyTestReportTests {
  private static let uri = "spiffe://acme.example/worker/orders"

  private func report(_ tests: String) throws -> PolicyTestReport {
    let (policy, documents) = try Make.policy(Make.workers + "tests:\n" + tests)
    var report = PolicyTestReport()
    report.run("set", documents.flatMap(\.tests), policy, now: Make.now)
    return report
  }

  @Test func whatPassesIsCounted() throws {
    let report = try report(
      """
        - name: orders
          given: { san_uri: "\(Self.uri)", postgres_user: orders_ro }
          expect: allow
          caller: worker/orders
          rule: orders
          reason: rule
          shadow: deny
        - name: a printer
          given: { subject_cn: printer, source_ip: 10.0.0.1 }
          expect: deny

      """)
    #expect(report.failed.isEmpty)
    #expect(report.unreached.isEmpty)
    #expect(report.text == "2 tests, 0 failed; callers reached 2 of 2, rules reached 2 of 2\n")
  }

  @Test func whatFailsSaysWhereAndWhy() throws {
    let report = try report(
      """
        - name: orders may write
          given: { san_uri: "\(Self.uri)", postgres_user: orders_rw, source_ip: 10.0.0.1 }
          expect: allow
          rule: orders
          shadow: allow

      """)
    #expect(
      report.text == """
        p.yaml:18:11: FAIL: orders may write
          p.yaml:18:11: expect: got deny, expected allow
          p.yaml:21:11: rule: got none, expected orders
          p.yaml:22:13: shadow: got deny, expected allow
          why: deny, default: no rule allows it
               rule orders (p.yaml:9:11): postgres_user: expected orders_ro, found orders_rw
               with the shadow rules enforced: deny, default
               rule trial (p.yaml:13:11) [shadow]: unless.source_ip: expected not 10.0.0.0/8, found 10.0.0.1
        p.yaml:6:11: no test reaches the caller 'printer'
        p.yaml:9:11: no test reaches the rule 'orders'
        p.yaml:13:11: no test reaches the rule 'trial'
        1 test, 1 failed; callers reached 1 of 2, rules reached 0 of 2

        """)
  }

  @Test func programsFindEveryCase() throws {
    let report = try report(
      """
        - { name: nobody, given: { subject_cn: x }, expect: deny, reason: default }
        - { name: orders, given: { san_uri: "\(Self.uri)", postgres_user: orders_ro }, expect: allow }

      """)
    let json = try Make.object(try report.json())
    #expect(["tests", "passed", "failed"].map { json.text($0) } == ["2", "1", "1"])
    let cases = try #require(json["cases"] as? [[String: Any]])
    #expect(cases.map { $0.text("name") } == ["nobody", "orders"])
    #expect(cases[0].text("file") == "p.yaml")
    #expect(cases[0].text("line") == "18")
    let mismatch = try #require((cases[0]["mismatches"] as? [[String: Any]])?.first)
    #expect(
      ["key", "expected", "got"].map { mismatch.text($0) } == ["reason", "default", "caller_unmapped"])
    #expect((cases[0]["why"] as? [String])?.count == 3)
    #expect((cases[1]["mismatches"] as? [Any])?.isEmpty == true)
    #expect(json.text("coverage.callers.reached") == "1")
    #expect(json.text("coverage.rules.total") == "2")
    let unreached = (json["coverage"] as? [String: Any])?["callers"] as? [String: Any]
    #expect((unreached?["unreached"] as? [[String: Any]])?.first?.text("line") == "6")
  }

  @Test func junitIsXML() throws {
    // A policy file holds no control characters; a report must not rest on that.
    let test = PolicyTest(
      name: Located("<&\"'\u{7}\n>", at: SourceLocation(file: "t.yaml", line: 17, column: 3)),
      given: Make.facts((.subjectCN, .texts(["]]>"]))), expect: .allow,
      caller: Located("<c>", at: SourceLocation(file: "t.yaml", line: 18, column: 3)))
    var report = PolicyTestReport()
    report.run("a \"set\"", [test], try Make.policy(Make.workers).policy, now: Make.now)
    let document = try XMLDocument(xmlString: report.junit)
    let root = try #require(document.rootElement())
    #expect(root.name == "testsuites")
    #expect(root.attribute(forName: "failures")?.stringValue == "1")
    let found = try #require(root.elements(forName: "testsuite").first?.elements(forName: "testcase").first)
    #expect(found.attribute(forName: "name")?.stringValue == "<&\"'\\u{7}\n>")
    #expect(found.attribute(forName: "line")?.stringValue == "17")
    let failure = try #require(found.elements(forName: "failure").first)
    #expect(
      failure.attribute(forName: "message")?.stringValue
        == "expect: got deny, expected allow; caller: got none, expected <c>")
    #expect(failure.stringValue?.contains("caller_unmapped") == true)
  }
}
