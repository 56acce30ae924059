import AccessPolicy
import Testing

@testable import GatewayConfiguration

/// What the YAML layer refuses, word for word.
struct YAMLDiagnosticsTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var yaml: String
    var expect: [String]
    var testDescription: String { yaml }
  }

  struct ByteCase: Sendable {
    var bytes: [UInt8]
    var expect: [String]
  }

  @Test(arguments: Case.all)
  func refused(_ example: Case) {
    let findings = Findings(file: "f.yaml")
    _ = YAMLComposer.compose(Array(example.yaml.utf8), findings: findings)
    #expect(findings.diagnostics.map(Example.line) == example.expect)
  }

  @Test(arguments: ByteCase.all)
  func refusedBytes(_ example: ByteCase) {
    let findings = Findings(file: "f.yaml")
    _ = YAMLComposer.compose(example.bytes, findings: findings)
    #expect(findings.diagnostics.map(Example.line) == example.expect)
  }
}

extension YAMLDiagnosticsTests.Case {
  static let all = [
    Self(
      yaml: "",
      expect: [
        "empty: the file holds no YAML document"
      ]),
    Self(
      yaml: "# only a comment\n",
      expect: [
        "empty: the file holds no YAML document"
      ]),
    Self(
      yaml: "a: 1\n---\nb: 2\n",
      expect: [
        "2:1: yaml-feature: found a second YAML document, which is not accepted here (split it "
          + "into two files, or remove the \"---\")"
      ]),
    Self(
      yaml: "a: &x 1\nb: *x\n",
      expect: [
        "1:4: yaml-feature: found the anchor \"&x\", which is not accepted here (write the value "
          + "out where it is needed)",
        "2:4: yaml-feature: found the alias \"*x\", which is not accepted here (write the value "
          + "out, or quote a text that begins with *)",
      ]),
    Self(
      yaml: "a: !!str 1\n",
      expect: [
        "1:4: yaml-feature: found the tag \"tag:yaml.org,2002:str\", which is not accepted here "
          + "(remove it: each key says what type its value has)"
      ]),
    Self(
      yaml: "a: !mine [1]\n",
      expect: [
        "1:4: yaml-feature: found the tag \"!mine\", which is not accepted here (remove it: each "
          + "key says what type its value has)"
      ]),
    Self(
      yaml: "a: {<<: {b: 1}}\n",
      expect: [
        "1:5: yaml-feature: found the merge key \"<<\", which is not accepted here (write the "
          + "keys out where they are needed)"
      ]),
    Self(
      yaml: "a: 1\nb: 2\na: 3\n",
      expect: [
        "3:1: duplicate-key: the key \"a\" stands here twice (the first one is in line 1; remove "
          + "one of them)"
      ]),
    Self(
      yaml: "{[1]: 2}\n",
      expect: [
        "1:2: yaml-feature: found a key that is a list, which is not accepted here (keys are single words)"
      ]),
    Self(
      yaml: "? {a: 1}\n: 2\n",
      expect: [
        "1:3: yaml-feature: found a key that is a mapping, which is not accepted here (keys are "
          + "single words)"
      ]),
    Self(
      yaml: "a: \"\\0\"\n",
      expect: [
        "1:4: control-character: a text holds NUL"
      ]),
    Self(
      yaml: "a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
      expect: [
        "1:35: too-deep: values are nested deeper than 32 levels (no key of ours needs half of "
          + "that; look for a stray \"[\", \"{\" or indentation)"
      ]),
    Self(
      yaml: "a: [1, 2\nb: 3\n",
      expect: [
        "2:2: yaml-syntax: this is not YAML: did not find expected ',' or ']' while parsing a "
          + "flow sequence which begins in line 1 (close the bracket, and quote a text that holds "
          + "one of , [ ] { })"
      ]),
    Self(
      yaml: "a: b: c\n",
      expect: [
        "1:5: yaml-syntax: this is not YAML: mapping values are not allowed in this context "
          + "(quote a text that holds \": \", and check the indentation)"
      ]),
    Self(
      yaml: "a: \"open\n",
      expect: [
        "2:1: yaml-syntax: this is not YAML: found unexpected end of stream while scanning a "
          + "quoted scalar which begins in line 1 (a quote that was opened before is never closed)"
      ]),
    Self(
      yaml: "a:\n\t- b\n",
      expect: [
        "2:1: yaml-syntax: this is not YAML: found character that cannot start any token while "
          + "scanning for the next token (indent with spaces, not tabs, and quote a text that begins "
          + "with @, ` or %)"
      ]),
    Self(
      yaml: "a: @b\n",
      expect: [
        "1:4: yaml-syntax: this is not YAML: found character that cannot start any token while "
          + "scanning for the next token (indent with spaces, not tabs, and quote a text that begins "
          + "with @, ` or %)"
      ]),
    Self(
      yaml: "a: \"\\d\"\n",
      expect: [
        "1:5: yaml-syntax: this is not YAML: found unknown escape character while parsing a "
          + "quoted scalar (in double quotes a backslash begins an escape; write the text in single "
          + "quotes)"
      ]),
    Self(
      yaml: "a: *\n",
      expect: [
        "1:5: yaml-syntax: this is not YAML: did not find expected alphabetic or numeric "
          + "character while scanning an alias (quote a text that begins with * or &)"
      ]),
    Self(
      yaml: "a\nb: 1\n",
      expect: [
        "2:2: yaml-syntax: this is not YAML: mapping values are not allowed in this context "
          + "(quote a text that holds \": \", and check the indentation)"
      ]),
    Self(
      yaml: "a: 1\n b: 2\n",
      expect: [
        "2:3: yaml-syntax: this is not YAML: mapping values are not allowed in this context "
          + "(quote a text that holds \": \", and check the indentation)"
      ]),
    Self(
      yaml: "listen: [::]:6432\n",
      expect: [
        "1:10: yaml-syntax: this is not YAML: did not find expected node content while parsing a "
          + "flow node (quote a text that begins with \"[\" or \"{\", such as \"[::]:6432\")"
      ]),
    Self(
      yaml: "- a\nb: 1\n",
      expect: [
        "2:1: yaml-syntax: this is not YAML: did not find expected '-' indicator while parsing a "
          + "block collection which begins in line 1 (check the indentation of this line and of the "
          + "one before)"
      ]),
    Self(
      yaml: "é: ü\né: 1\n",
      expect: [
        "2:1: duplicate-key: the key \"é\" stands here twice (the first one is in line 1; remove "
          + "one of them)"
      ]),
    Self(
      yaml:
        "{k1: 1, k2: 1, k3: 1, k4: 1, k5: 1, k6: 1, k7: 1, k8: 1, k9: 1, k10: 1, k11: 1, k12: 1, k13: 1, k14: 1, k3: 1, k13: 1, k14: 1}\n",
      expect: [
        "1:105: duplicate-key: the key \"k3\" stands here twice (the first one is in line 1; "
          + "remove one of them)",
        "1:112: duplicate-key: the key \"k13\" stands here twice (the first one is in line 1; "
          + "remove one of them)",
        "1:120: duplicate-key: the key \"k14\" stands here twice (the first one is in line 1; "
          + "remove one of them)",
      ]),
    Self(
      yaml: "a: 1 # ok\r\nb: &q 2\r\n",
      expect: [
        "2:4: yaml-feature: found the anchor \"&q\", which is not accepted here (write the value "
          + "out where it is needed)"
      ]),
  ]
}

extension YAMLDiagnosticsTests.ByteCase {
  static let all = [
    Self(
      bytes: [0x61, 0x3A, 0x20, 0xFF, 0x0A],
      expect: [
        "1:4: encoding: the file is not valid UTF-8: invalid leading UTF-8 octet (save the file as UTF-8)"
      ]),
    Self(
      bytes: [0x61, 0x3A, 0x20, 0xC3, 0xA9, 0xC0, 0x80, 0x0A],
      expect: [
        "1:5: encoding: the file is not valid UTF-8: invalid length of a UTF-8 sequence (save "
          + "the file as UTF-8)"
      ]),
    Self(
      bytes: [0x61, 0x0A, 0x62, 0x3A, 0x00, 0x0A],
      expect: [
        "2:3: control-character: found a control character (remove it; a quoted text can hold it "
          + "as an escape such as \"\\x07\")"
      ]),
    Self(
      bytes: [0xFF, 0xFE, 0x61, 0x00],
      expect: [
        "1:1: encoding: the file is not valid UTF-8: invalid leading UTF-8 octet (save the file as UTF-8)"
      ]),
    Self(
      bytes: [0xEF, 0xBB, 0xBF, 0x61, 0x3A, 0x20, 0x26, 0x78, 0x20, 0x31, 0x0A],
      expect: [
        "1:4: yaml-feature: found the anchor \"&x\", which is not accepted here (write the value "
          + "out where it is needed)"
      ]),
    Self(
      bytes: [0x61, 0x3A, 0x20, 0x1B, 0x5B],
      expect: [
        "1:4: control-character: found a control character (remove it; a quoted text can hold it "
          + "as an escape such as \"\\x07\")"
      ]),
    Self(
      bytes: [0x61, 0x3A, 0x20, 0xED, 0xA0, 0x80],
      expect: [
        "1:4: encoding: the file is not valid UTF-8: invalid Unicode character (save the file as UTF-8)"
      ]),
    Self(
      bytes: [0xEF, 0xBB, 0xBF, 0x61, 0x3A, 0x20, 0x01, 0x0A],
      expect: [
        "1:5: control-character: found a control character (remove it; a quoted text can hold it "
          + "as an escape such as \"\\x07\")"
      ]),
  ]
}
