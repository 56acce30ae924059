internal import AccessPolicy

extension PolicyTestReport {
  /// JUnit's XML, as build servers read it: a suite for each set of policies, `file` and `line` on each case.
  package var junit: String {
    var lines = [#"<?xml version="1.0" encoding="UTF-8"?>"#]
    let total = XMLTag(
      "testsuites", ("name", "countersign test"), ("tests", String(results.count)),
      ("failures", String(failed.count)), ("errors", "0"), ("time", Self.seconds(results)))
    lines.append(total.opening)
    for suite in suites {
      let tag = XMLTag(
        "testsuite", ("name", suite.name), ("tests", String(suite.results.count)),
        ("failures", String(suite.results.count { !$0.hasPassed })), ("errors", "0"), ("skipped", "0"),
        ("time", Self.seconds(suite.results)))
      lines.append("  " + tag.opening)
      for result in suite.results { lines += Self.lines(result) }
      lines.append("  </testsuite>")
    }
    lines.append("</testsuites>")
    return lines.joined(separator: "\n") + "\n"
  }

  private static func lines(_ result: PolicyTestResult) -> [String] {
    let tag = XMLTag(
      "testcase", ("name", result.test.name.value), ("classname", result.location.file),
      ("file", result.location.file), ("line", String(result.location.line)), ("time", seconds([result])))
    guard !result.hasPassed else { return ["    " + tag.empty] }
    let mismatches = result.mismatches.map { "\($0.key): got \($0.got), expected \($0.expected)" }
    let failure = XMLTag("failure", ("message", mismatches.joined(separator: "; ")), ("type", "mismatch"))
    let details = result.mismatches.map {
      "\($0.location): \($0.key): got \($0.got), expected \($0.expected)"
    }
    return [
      "    " + tag.opening,
      "      " + failure.opening + XMLTag.escaped((details + result.grounds).joined(separator: "\n"))
        + "</failure>",
      "    </testcase>",
    ]
  }

  private static func seconds(_ results: [PolicyTestResult]) -> String {
    let microseconds = results.reduce(0) { $0 + Int($1.duration / .microseconds(1)) }
    let digits = String(microseconds % 1_000_000)
    return "\(microseconds / 1_000_000)." + String(repeating: "0", count: 6 - digits.count) + digits
  }
}

/// The beginning of an XML element.
private struct XMLTag {
  private let head: String

  init(_ name: String, _ attributes: (String, String)...) {
    head = attributes.reduce("<\(name)") { $0 + " \($1.0)=\"\(Self.escaped($1.1))\"" }
  }

  var opening: String { head + ">" }
  var empty: String { head + "/>" }

  /// Text for attributes and elements. XML 1.0 §2.2 has no place for most control characters, not even as
  /// references; a line feed in an attribute would come back as a space.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n", "\t", "\r": result += "&#\(scalar.value);"
      case _
      where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
        || scalar.value == 0xfffe || scalar.value == 0xffff:
        result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
