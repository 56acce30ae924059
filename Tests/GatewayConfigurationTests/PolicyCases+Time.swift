extension PolicyDiagnosticsTests.Case {
  static let time = [
    Self(
      yaml: """
        version: 1
        rules:
          - {name: a, action: allow, when: {time: {after: "8:00", before: "24:01", days: [mo], zone: UTC}}}

        """,
      expect: [
        "3:51: invalid-value: found \"8:00\", expected a time from 00:00 to 23:59",
        "3:67: invalid-value: found \"24:01\", expected a time from 00:00 to 24:00",
        "3:83: invalid-value: found \"mo\", expected a day such as mon, or a range such as "
          + "mon-fri (the days are mon, tue, wed, thu, fri, sat, sun)",
      ]),
    Self(
      yaml: """
        version: 1
        rules:
          - {name: a, action: allow, when: {time: {after: "24:00", zone: UTC}}}

        """,
      expect: [
        "3:51: invalid-value: found \"24:00\", expected a time from 00:00 to 23:59"
      ]),
    Self(
      yaml: """
        version: 1
        rules:
          - {name: a, action: allow, when: {time: {zone: UTC}}}

        """,
      expect: [
        "3:43: missing-key: a time window needs one of the keys \"after\", \"before\" and \"days\""
      ]),
    Self(
      yaml: """
        version: 1
        rules:
          - {name: a, action: allow, when: {time: {days: mon-fri}}}

        """,
      expect: [
        "3:43: missing-key: a time window needs the key \"zone\""
      ]),
    Self(
      yaml: """
        version: 1
        rules:
          - {name: a, action: allow, when: {time: "08:00"}}

        """,
      expect: [
        "3:43: wrong-type: found \"08:00\", expected a mapping for a time window"
      ]),
    Self(
      yaml: """
        version: 1
        rules:
          - {name: a, action: allow, when: {time: {days: [mon-tue-wed, ""], zone: }}}

        """,
      expect: [
        "3:51: invalid-value: found \"mon-tue-wed\", expected a day such as mon, or a range such "
          + "as mon-fri (the days are mon, tue, wed, thu, fri, sat, sun)",
        "3:64: invalid-value: found an empty text, expected a day such as mon, or a range such as mon-fri",
        "3:75: wrong-type: found nothing, expected a time zone such as Europe/Madrid",
      ]),
    Self(
      yaml: """
        version: 1
        rules:
          - {name: a, action: allow, when: {time: {after: "08:60", days: [], zone: UTC}}}

        """,
      expect: [
        "3:51: invalid-value: found \"08:60\", expected a time from 00:00 to 23:59",
        "3:66: empty: found an empty list, expected at least one day such as mon, or a range "
          + "such as mon-fri",
      ]),
  ]
}
