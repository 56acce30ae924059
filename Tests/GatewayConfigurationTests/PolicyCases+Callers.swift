extension PolicyDiagnosticsTests.Case {
  static let callers = [
    Self(
      yaml: """
        version: 1
        callers:
          - nam: a
            match: {subject_cn: a}

        """,
      expect: [
        "3:5: unknown-key: unknown key \"nam\" in a caller (did you mean \"name\"?)",
        "3:5: missing-key: a caller needs the key \"name\"",
      ]),
    Self(
      yaml: """
        version: 1
        callers:
          - name: a

        """,
      expect: [
        "3:5: missing-key: a caller needs the key \"match\""
      ]),
    Self(
      yaml: """
        version: 1
        callers:
          - name: a
            match: {}

        """,
      expect: [
        "4:12: empty: match has no field (name a field)"
      ]),
    Self(
      yaml: """
        version: 1
        callers:
          - name: a
            match: {subjct_cn: a}

        """,
      expect: [
        "4:13: unknown-field: there is no field \"subjct_cn\" (did you mean \"subject_cn\"?)"
      ]),
    Self(
      yaml: """
        version: 1
        callers:
          - name: a
            match: {wholly_unknown: a}

        """,
      expect: [
        "4:13: unknown-field: there is no field \"wholly_unknown\" (the fields are listed in "
          + "Policies/REFERENCE.md)"
      ]),
    Self(
      yaml: """
        version: 1
        callers:
          - name: a
            match: [subject_cn]

        """,
      expect: [
        "4:12: wrong-type: found a list, expected a mapping of fields to values for match"
      ]),
    Self(
      yaml: """
        version: 1
        callers:
          - name: a
            match: {subject_cn: }

        """,
      expect: [
        "4:25: wrong-type: found nothing, expected a value, a list of values, or a form such as "
          + "{prefix: …}"
      ]),
    Self(
      yaml: """
        version: 1
        callers:
          - name: a
            match: {subject_cn: []}

        """,
      expect: [
        "4:25: empty: found an empty list, expected at least one value"
      ]),
    Self(
      yaml: """
        version: 1
        callers:
          - name: {worker}
            match: {subject_cn: {worker}}

        """,
      expect: [
        "3:11: wrong-type: found a mapping, expected a caller's name (quote a text that has "
          + "braces: \"{worker}\")",
        "4:25: wrong-type: found a mapping, expected a value, or a form such as {prefix: …} "
          + "(quote a text that has braces: \"{worker}\")",
      ]),
    Self(
      yaml: """
        version: 1
        callers:
          - name: a
            groups: [group:x, ""]
            match: {subject_cn: a}

        """,
      expect: [
        "4:14: invalid-value: found \"group:x\", expected a group's name (write the name alone; "
          + "\"group:\" is for a rule's callers)",
        "4:23: invalid-value: found an empty text, expected a group's name",
      ]),
    Self(
      yaml: """
        version: 1
        callers:
          - a

        """,
      expect: [
        "3:5: wrong-type: found \"a\", expected a mapping for a caller"
      ]),
    Self(
      yaml: """
        version: 1
        callers:
          - name: a
            match:
              subject_cn: |
                a

        """,
      expect: [
        "5:19: control-character: \"a\\u{a}\" holds a control character (write the text in one "
          + "line, without a block scalar (\"|\" or \">\"))"
      ]),
  ]
}
