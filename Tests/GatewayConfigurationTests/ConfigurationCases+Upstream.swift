extension ConfigurationDiagnosticsTests.Case {
  static let upstream = [
    Self(
      replacing: "    address: 127.0.0.1:5432",
      with: "    adress: 127.0.0.1:5432",
      expect: [
        "11:5: missing-key: an upstream needs the key \"address\"",
        "12:5: unknown-key: unknown key \"adress\" in an upstream (did you mean \"address\"?)",
      ]),
    Self(
      replacing: "    address: 127.0.0.1:5432",
      with: "    address: 127.0.0.1",
      expect: [
        "12:14: invalid-value: found \"127.0.0.1\", expected an address and a port, such as "
          + "127.0.0.1:5432 or db.internal:5432, or unix:PATH (add the port)"
      ]),
    Self(
      replacing: "    address: 127.0.0.1:5432",
      with: "    address: []",
      expect: [
        "12:14: empty: found an empty list, expected at least one address"
      ]),
    Self(
      replacing: "    address: 127.0.0.1:5432",
      with: "    address: db_1.internal:0",
      expect: [
        "12:14: invalid-value: found \"db_1.internal:0\", expected an address and a port, such "
          + "as 127.0.0.1:5432 or db.internal:5432, or unix:PATH (a port is a number from 1 to 65535)"
      ]),
    Self(
      replacing: "    address: 127.0.0.1:5432",
      with: "    address: \"db internal:5432\"",
      expect: [
        "12:14: invalid-value: found \"db internal:5432\", expected an address and a port, such "
          + "as 127.0.0.1:5432 or db.internal:5432, or unix:PATH (\"db internal\" is neither an IP "
          + "address nor a DNS name)"
      ]),
    Self(
      replacing: "    address: 127.0.0.1:5432",
      with: "    address: 10.0.0.0x1:5432",
      expect: [
        "12:14: invalid-value: found \"10.0.0.0x1:5432\", expected an address and a port, such "
          + "as 127.0.0.1:5432 or db.internal:5432, or unix:PATH (\"10.0.0.0x1\" is neither an IP "
          + "address nor a DNS name)"
      ]),
    Self(
      replacing: "    address: 127.0.0.1:5432",
      with:
        "    address: unix:/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      expect: [
        "12:14: out-of-range: the path of the Unix socket has 108 bytes, expected at most 107 "
          + "(the kernel's limit (unix(7)); choose a shorter path)"
      ]),
    Self(
      replacing: "    address: 127.0.0.1:5432",
      with: "    address: \"unix:@abstract\"",
      expect: [
        "12:14: invalid-value: found \"unix:@abstract\", expected an address and a port, such as "
          + "127.0.0.1:5432 or db.internal:5432, or unix:PATH (an abstract socket has no file, and so "
          + "no owner and no mode; write a path)"
      ]),
    Self(
      replacing: "    address: 127.0.0.1:5432",
      with: "    address: systemd:x",
      expect: [
        "12:14: invalid-value: found \"systemd:x\", expected an address and a port, such as "
          + "127.0.0.1:5432 or db.internal:5432, or unix:PATH (systemd: is for listeners only)"
      ]),
    Self(
      replacing: "    address: 127.0.0.1:5432",
      with: "    address: 127.0.0.1:5432\n    balance: random",
      expect: [
        "13:14: invalid-value: found \"random\", expected least_connections or round_robin"
      ]),
    Self(
      replacing: "    address: 127.0.0.1:5432",
      with: "    address: 127.0.0.1:5432\n    connect_timeout: 0s",
      expect: [
        "13:22: out-of-range: found \"0s\", expected a duration longer than 0"
      ]),
    Self(
      replacing: "    address: 127.0.0.1:5432",
      with: "    address: 127.0.0.1:5432\n    connect_timeout: 5",
      expect: [
        "13:22: invalid-value: found \"5\", expected a duration such as 10s, 5m, 24h or 90d"
      ]),
    Self(
      replacing: "    address: 127.0.0.1:5432",
      with: "    address: 127.0.0.1:5432\n    proxy_protocol: v3",
      expect: [
        "13:21: invalid-value: found \"v3\", expected none, v1, v2 or v2_tls"
      ]),
    Self(
      replacing: "    address: 127.0.0.1:5432",
      with: "    address: 127.0.0.1:5432\n    tls: {ca: ca.pem, server_name: \"a b\", certificate: a}",
      expect: [
        "13:36: invalid-value: found \"a b\", expected a DNS name",
        "13:43: missing-key: an upstream's tls with certificate needs the key \"private_key\" too",
      ]),
    Self(
      replacing: "    address: 127.0.0.1:5432",
      with: "    address: 127.0.0.1:5432\n    tls: true",
      expect: [
        "13:10: wrong-type: found \"true\", expected a mapping for an upstream's tls"
      ]),
    Self(
      replacing: "    address: 127.0.0.1:5432",
      with: "    address: 127.0.0.1:5432\n  - name: db\n    address: 127.0.0.1:5433",
      expect: [
        "13:11: duplicate-name: the upstream \"db\" is defined twice (the first one is in line "
          + "11; names are unique)"
      ]),
    Self(
      replacing: "    address: 127.0.0.1:5432",
      with: "    address: 127.0.0.1:5432\n  - name: spare\n    address: 127.0.0.1:5433",
      expect: [
        "13:11: warning: unused-upstream: no listener uses the upstream \"spare\" (remove it)"
      ]),
  ]
}
