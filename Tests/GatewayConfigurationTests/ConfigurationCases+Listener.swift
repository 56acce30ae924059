extension ConfigurationDiagnosticsTests.Case {
  static let listener = [
    Self(
      replacing: "  - name: db\n    listen",
      with: "  - listen",
      expect: [
        "3:5: missing-key: a listener needs the key \"name\""
      ]),
    Self(
      replacing: "  - name: db\n    listen",
      with: "  - name: -db\n    listen",
      expect: [
        "3:11: invalid-value: \"-db\" is not a name (names have 1 to 63 letters, digits, \".\", "
          + "\"_\" and \"-\", and begin with a letter or digit)"
      ]),
    Self(
      replacing: "  - name: db\n    listen",
      with: "  - name: \"a b\"\n    listen",
      expect: [
        "3:11: invalid-value: \"a b\" is not a name (names have 1 to 63 letters, digits, \".\", "
          + "\"_\" and \"-\", and begin with a letter or digit)"
      ]),
    Self(
      replacing: "  - name: db\n    listen",
      with: "  - name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n    listen",
      expect: [
        "3:11: invalid-value: "
          + "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" is not a name "
          + "(names have 1 to 63 letters, digits, \".\", \"_\" and \"-\", and begin with a letter or "
          + "digit)"
      ]),
    Self(
      replacing: "  - name: db\n    listen",
      with: "  - name: null\n    listen",
      expect: [
        "3:11: wrong-type: found nothing, expected a name"
      ]),
    Self(
      replacing: "    upstream: db",
      with: "    upstream: dbb",
      expect: [
        "9:15: unknown-reference: there is no upstream \"dbb\" (did you mean \"db\"?)"
      ]),
    Self(
      replacing: "    upstream: db",
      with: "    upstream: other",
      expect: [
        "9:15: unknown-reference: there is no upstream \"other\" (known here: db)"
      ]),
    Self(
      replacing: "    upstream: db",
      with: "    upstream:",
      expect: [
        "9:14: wrong-type: found nothing, expected a name"
      ]),
    Self(
      replacing: "    upstream: db",
      with: "    upstream: db\n    protocol: mysql\n    mysql_server_version: 5.5.5-10.11.19-MariaDB",
      expect: []),
    Self(
      replacing: "    upstream: db",
      with: "    upstream: db\n    protocol: postgre",
      expect: [
        "10:15: invalid-value: found \"postgre\", expected tcp, postgres or mysql (did you mean "
          + "\"postgres\"?)"
      ]),
    Self(
      replacing: "    upstream: db",
      with: "    upstream: db\n    protocol: http",
      expect: [
        "10:15: invalid-value: found \"http\", expected tcp, postgres or mysql"
      ]),
    Self(
      replacing: "    upstream: db",
      with: "    upstream: db\n    proxy_protocol: {from: [10.0.0.1/8x]}",
      expect: [
        "10:29: invalid-value: found \"10.0.0.1/8x\", expected an IP address, a CIDR "
          + "block such as 10.0.0.0/8, or unix for the peers of a Unix socket (the bits behind the prefix must be 0)"
      ]),
    Self(
      replacing: "    upstream: db",
      with: "    upstream: db\n    proxy_protocol: {from: []}",
      expect: [
        "10:28: empty: found an empty list, expected at least one CIDR block"
      ]),
    Self(
      replacing: "    upstream: db",
      with: "    upstream: db\n    proxy_protocol: v1",
      expect: [
        "10:21: wrong-type: found \"v1\", expected a mapping for proxy_protocol"
      ]),
    Self(
      replacing: "    upstream: db",
      with: "    upstream: db\n    proxy_protocol: {form: []}",
      expect: [
        "10:21: missing-key: proxy_protocol needs the key \"from\"",
        "10:22: unknown-key: unknown key \"form\" in proxy_protocol (did you mean \"from\"?)",
      ]),
    Self(
      replacing: "    upstream: db",
      with: "    upstream: db\n    mysql_server_version: MariaDB",
      expect: [
        "10:27: invalid-value: found \"MariaDB\", expected a version such as 8.0.36 or 10.11.6-MariaDB "
          + "(it begins with a digit and has at most 60 characters without spaces)"
      ]),
    Self(
      replacing: "    upstream: db",
      with: "    upstream: db\n    limits: {max_handshakes: 0, workers: 2}",
      expect: [
        "10:30: out-of-range: found \"0\", expected a whole number from 1 to 1000000",
        "10:33: unknown-key: unknown key \"workers\" in limits (known here: max_connections, "
          + "max_connections_per_caller, max_handshakes, handshake_timeout, idle_timeout, "
          + "max_connection_age, connection_rate_per_source)",
      ]),
  ]
}
