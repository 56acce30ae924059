extension PolicyDiagnosticsTests.Case {
  static let file = [
    Self(
      yaml: "version: 1\n",
      expect: [
        "1:1: missing-key: a policy file needs one of the keys \"callers\", \"rules\" and \"tests\""
      ]),
    Self(
      yaml: """
        version: 1
        rules: []

        """,
      expect: []),
    Self(
      yaml: "rules: []\n",
      expect: [
        "1:1: missing-key: a policy file needs the key \"version\""
      ]),
    Self(
      yaml: """
        version: 1
        rule: []

        """,
      expect: [
        "1:1: missing-key: a policy file needs one of the keys \"callers\", \"rules\" and \"tests\"",
        "2:1: unknown-key: unknown key \"rule\" in a policy file (did you mean \"rules\"?)",
      ]),
    Self(
      yaml: """
        version: 1
        callers: {name: a}

        """,
      expect: [
        "2:10: wrong-type: found a mapping, expected a list of callers"
      ]),
    Self(
      yaml: "- a\n",
      expect: [
        "1:1: wrong-type: found a list, expected a mapping for a policy file"
      ]),
    Self(
      yaml: "just a text\n",
      expect: [
        "1:1: wrong-type: found a text, expected a mapping for a policy file"
      ]),
    Self(
      yaml: """
        version: 1
        tests: ~

        """,
      expect: [
        "2:8: wrong-type: found nothing, expected a list of tests"
      ]),
  ]
}
