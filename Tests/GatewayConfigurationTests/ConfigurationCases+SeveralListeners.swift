extension ConfigurationDiagnosticsTests.Case {
  static let severalListeners = [
    Self(
      replacing: "    upstream: db",
      with:
        "    upstream: db\n  - name: db\n    listen: 0.0.0.0:6433\n    tls: {certificate: a.pem, private_key: a.key, client_ca: ca.pem}\n    upstream: db",
      expect: [
        "10:11: duplicate-name: the listener \"db\" is defined twice (the first one is in line "
          + "3; names are unique)"
      ]),
    Self(
      replacing: "    upstream: db",
      with:
        "    upstream: db\n  - name: api\n    listen: 0.0.0.0:6432\n    tls: {certificate: a.pem, private_key: a.key, client_ca: ca.pem}\n    upstream: db",
      expect: [
        "11:13: duplicate-address: the listeners \"db\" and \"api\" have the same address (the "
          + "first one is in line 4; give one of them another port)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with:
        "    listen: unix:run/./x.sock\n    tls: {certificate: a.pem, private_key: a.key, client_ca: ca.pem}\n    upstream: db\n  - name: api\n    listen: unix:run//x.sock",
      expect: [
        "8:13: duplicate-address: the listeners \"db\" and \"api\" have the same address (the first one is "
          + "in line 4; give one of them another path)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with:
        "    listen: systemd:web\n    tls: {certificate: a.pem, private_key: a.key, client_ca: ca.pem}\n    upstream: db\n  - name: api\n    listen: systemd:web",
      expect: [
        "8:13: duplicate-address: the listeners \"db\" and \"api\" have the same address (the first one is "
          + "in line 4; give one of them another name)"
      ]),
    Self(
      replacing: "    upstream: db",
      with:
        "    upstream: db\n  - name: api\n    listen: \"[::]:6432\"\n    tls: {certificate: a.pem, private_key: a.key, client_ca: ca.pem}\n    upstream: db",
      expect: [
        "4:13: warning: overlapping-address: the address of the listener \"api\" covers this one "
          + "(connections to this address come here and never to \"api\")"
      ]),
    Self(
      replacing: "    upstream: db",
      with:
        "    upstream: db\n  - name: api\n    listen: 127.0.0.1:6432\n    tls: {certificate: a.pem, private_key: a.key, client_ca: ca.pem}\n    upstream: db",
      expect: [
        "11:13: warning: overlapping-address: the address of the listener \"db\" covers this one "
          + "(connections to this address come here and never to \"db\")"
      ]),
    Self(
      replacing: "    upstream: db",
      with:
        "    upstream: db\n  - name: api\n    listen: \"[::ffff:0.0.0.0]:6432\"\n    tls: {certificate: a.pem, private_key: a.key, client_ca: ca.pem}\n    upstream: db",
      expect: [
        "11:13: invalid-value: found \"[::ffff:0.0.0.0]:6432\", expected an IP address and a "
          + "port, such as 0.0.0.0:6432 or \"[::]:6432\", or unix:PATH, or systemd:NAME (the brackets "
          + "are for an IPv6 address, such as [::1]:6432)"
      ]),
    Self(
      replacing: "    upstream: db",
      with:
        "    upstream: db\n  - name: api\n    listen: 0.0.0.0:6433\n    tls: {certificate: a.pem, private_key: a.key, client_ca: ca.pem}\n    upstream: bd",
      expect: [
        "13:15: unknown-reference: there is no upstream \"bd\" (did you mean \"db\"?)"
      ]),
    Self(
      replacing: "    upstream: db",
      with: "    upstream: db\n  - db",
      expect: [
        "10:5: wrong-type: found \"db\", expected a mapping for a listener"
      ]),
    Self(
      replacing: "listeners:\n",
      with: "listeners: []\nold:\n",
      expect: [
        "2:12: empty: found an empty list, expected listeners",
        "3:1: unknown-key: unknown key \"old\" in the configuration (known here: version, "
          + "listeners, upstreams, policies, audit, admin, limits, drain_timeout, workers)",
      ]),
  ]
}
