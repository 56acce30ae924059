extension PolicyDiagnosticsTests.Case {
  static let tests = [
    Self(
      yaml: """
        version: 1
        tests:
          - name: a
            given: {subject_cn: a}

        """,
      expect: [
        "3:5: missing-key: a test needs the key \"expect\""
      ]),
    Self(
      yaml: """
        version: 1
        tests:
          - name: a
            given: {subject_cn: [], subject_c: {a: b}}
            expect: yes

        """,
      expect: [
        "4:25: empty: found an empty list, expected at least one value",
        "4:40: wrong-type: found a mapping, expected a value",
        "5:13: invalid-value: found \"yes\", expected allow or deny",
      ]),
    Self(
      yaml: """
        version: 1
        tests:
          - name: a
            given: {subjectcn: a}
            expect: allow
            reason: rules
            shadow: none
            at: noon

        """,
      expect: [
        "4:13: unknown-field: there is no field \"subjectcn\" (did you mean \"subject_cn\"?)",
        "6:13: invalid-value: found \"rules\", expected rule, default, caller_unmapped, "
          + "caller_ambiguous, name_unreadable or pattern_limit (did you mean \"rule\"?)",
        "7:13: invalid-value: found \"none\", expected allow or deny",
        "8:9: invalid-value: found \"noon\", expected an instant as in RFC 3339, such as "
          + "2027-01-31T00:00:00Z",
      ]),
    Self(
      yaml: """
        version: 1
        tests:
          - {name: a, given: {subject_cn: a}, expect: allow}
          - {name: a, given: {subject_cn: a}, expect: deny}

        """,
      expect: [
        "4:12: duplicate-name: the test \"a\" is defined twice (the first one is in line 3; "
          + "names are unique)"
      ]),
    Self(
      yaml: """
        version: 1
        tests:
          - {name: a, given: [subject_cn], expect: allow, caller: , rule: []}

        """,
      expect: [
        "3:22: wrong-type: found a list, expected a mapping of fields to values for given",
        "3:59: wrong-type: found nothing, expected a caller's name",
        "3:67: wrong-type: found a list, expected a rule's name",
      ]),
  ]
}
