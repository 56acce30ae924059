extension PolicyDiagnosticsTests.Case {
  static let rules = [
    Self(
      yaml: """
        version: 1
        rules:
          - action: alow

        """,
      expect: [
        "3:5: missing-key: a rule needs the key \"name\"",
        "3:13: invalid-value: found \"alow\", expected allow, deny or log (did you mean \"allow\"?)",
      ]),
    Self(
      yaml: """
        version: 1
        rules:
          - name: a
            action: allow
            callers: []

        """,
      expect: [
        "5:14: empty: found an empty list, expected at least one caller"
      ]),
    Self(
      yaml: """
        version: 1
        rules:
          - name: a
            action: allow
            listeners:

        """,
      expect: [
        "5:15: wrong-type: found nothing, expected a listener"
      ]),
    Self(
      yaml: """
        version: 1
        rules:
          - name: a
            action: allow
            when: {}
            unless: {}

        """,
      expect: [
        "5:11: empty: when has no field (name a field, or remove \"when\")",
        "6:13: empty: unless has no field (name a field, or remove \"unless\")",
      ]),
    Self(
      yaml: """
        version: 1
        rules:
          - name: a
            action: allow
            mode: shaddow

        """,
      expect: [
        "5:11: invalid-value: found \"shaddow\", expected enforce or shadow (did you mean \"shadow\"?)"
      ]),
    Self(
      yaml: """
        version: 1
        rules:
          - name: a
            action: allow
            expires: 2027-01-31

        """,
      expect: [
        "5:14: invalid-value: found \"2027-01-31\", expected an instant as in RFC 3339, such as "
          + "2027-01-31T00:00:00Z"
      ]),
    Self(
      yaml: """
        version: 1
        rules:
          - name: a
            action: allow
            whn: {subject_cn: a}
            mode: log

        """,
      expect: [
        "5:5: unknown-key: unknown key \"whn\" in a rule (did you mean \"when\"?)",
        "6:11: invalid-value: found \"log\", expected enforce or shadow",
      ]),
  ]
}
