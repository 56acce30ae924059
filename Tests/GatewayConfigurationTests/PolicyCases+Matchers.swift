extension PolicyDiagnosticsTests.Case {
  static let matchers = [
    Self(
      yaml: """
        version: 1
        callers:
          - name: a
            match: {subject_cn: {globb: a}}

        """,
      expect: [
        "4:26: unknown-key: unknown key \"globb\" in a matcher (did you mean \"glob\"?)"
      ]),
    Self(
      yaml: """
        version: 1
        callers:
          - name: a
            match: {subject_cn: {glob: a, prefix: b}}

        """,
      expect: [
        "4:25: invalid-value: found glob and prefix together, expected one form (only min and "
          + "max go together; for \"one of several\" write a list)"
      ]),
    Self(
      yaml: """
        version: 1
        callers:
          - name: a
            match: {subject_cn: {}}

        """,
      expect: [
        "4:25: invalid-value: found an empty matcher, expected one form (only min and max go "
          + "together; for \"one of several\" write a list)"
      ]),
    Self(
      yaml: """
        version: 1
        callers:
          - name: a
            match: {subject_cn: {regex: [a]}}

        """,
      expect: [
        "4:33: wrong-type: found a list, expected a text for regex"
      ]),
    Self(
      yaml: """
        version: 1
        callers:
          - name: a
            match: {subject_cn: {present: yes}}

        """,
      expect: [
        "4:35: wrong-type: found \"yes\", expected true or false"
      ]),
    Self(
      yaml: """
        version: 1
        callers:
          - name: a
            match: {key_bits: {min: , max: 5}}

        """,
      expect: [
        "4:29: wrong-type: found nothing, expected a value for min"
      ]),
    Self(
      yaml: """
        version: 1
        callers:
          - name: a
            match: {key_bits: {min: 1, glob: 5}}

        """,
      expect: [
        "4:23: invalid-value: found min and glob together, expected one form (only min and max "
          + "go together; for \"one of several\" write a list)"
      ]),
    Self(
      yaml: """
        version: 1
        callers:
          - name: a
            match: {subject_cn: [[a]]}

        """,
      expect: [
        "4:26: wrong-type: found a list, expected a value, a list of values, or a form such as {prefix: …}"
      ]),
  ]
}
