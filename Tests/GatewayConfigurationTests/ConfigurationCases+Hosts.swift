extension ConfigurationDiagnosticsTests.Case {
  private static func hosts(_ entry: String, expect: [String]) -> Self {
    Self(
      replacing: "      client_ca: ca.pem", with: "      client_ca: ca.pem\n      hosts: [\(entry)]",
      expect: expect)
  }

  private static func bundles(_ list: String, expect: [String]) -> Self {
    Self(replacing: "      client_ca: ca.pem", with: "      client_ca: \(list)", expect: expect)
  }

  static let hosts = [
    hosts(
      "{server_name: \"*\"}",
      expect: ["9:29: invalid-value: found \"*\", expected a DNS name, or \"*.\" and a DNS name"]),
    hosts(
      "{server_name: \"a.*.example\"}",
      expect: ["9:29: invalid-value: found \"a.*.example\", expected a DNS name, or \"*.\" and a DNS name"]),
    hosts(
      "{server_name: 192.0.2.1}",
      expect: ["9:29: invalid-value: found \"192.0.2.1\", expected a DNS name, or \"*.\" and a DNS name"]),
    hosts(
      "{server_name: bücher.example}",
      expect: [
        "9:29: invalid-value: found \"bücher.example\", and clients ask for A-labels, which are ASCII (RFC 5890) "
          + "(write it as xn--…: idn2 NAME prints it)"
      ]),
    hosts(
      "{server_name: [a.example, b.example]}, {server_name: \"A.Example.\"}",
      expect: [
        "9:68: duplicate-name: the server name \"a.example\" is defined twice (the first one is in line 9; names "
          + "are unique)"
      ]),
    hosts(
      "{server_name: \"*.example\"}, {server_name: \"*.EXAMPLE\"}",
      expect: [
        "9:57: duplicate-name: the server name \"*.example\" is defined twice (the first one is in line 9; names "
          + "are unique)"
      ]),
    hosts(
      "{certificate: a.pem, private_key: a.key}",
      expect: ["9:15: missing-key: an entry of hosts needs the key \"server_name\""]),
    hosts(
      "{server_name: a.example, certificate: a.pem}",
      expect: ["9:40: missing-key: an entry of hosts with certificate needs the key \"private_key\" too"]),
    hosts(
      "{server_name: a.example, private_key_passphrase: p}",
      expect: [
        "9:40: missing-key: an entry of hosts with private_key_passphrase needs the certificate and the key that "
          + "it belongs to"
      ]),
    hosts(
      "{server_name: a.example, pkcs12: a.p12, certificate: a.pem}",
      expect: [
        "9:40: contradiction: pkcs12 holds a certificate and its key, and others are named beside it (remove "
          + "certificate and private_key, or pkcs12)"
      ]),
    hosts("", expect: ["9:14: empty: found an empty list, expected hosts"]),
    Self(
      replacing: "      client_ca: ca.pem",
      with: "      client_ca: ca.pem\n      unknown_server_name: refuse",
      expect: [
        "9:28: contradiction: without hosts no server name is known, and unknown_server_name: refuse refuses every "
          + "client (name the hosts that clients may ask for; an entry may consist of server_name alone)"
      ]),
    bundles(
      "[{label: a, file: a.pem}, {label: a, file: b.pem}]",
      expect: [
        "8:52: duplicate-name: the label \"a\" is defined twice (the first one is in line 8; names are unique)"
      ]),
    bundles(
      "[{label: \"a b\", file: a.pem}]",
      expect: [
        "8:27: invalid-value: \"a b\" is not a name (names have 1 to 63 letters, digits, \".\", \"_\" and \"-\", "
          + "and begin with a letter or digit)"
      ]),
    bundles("[{label: a}]", expect: ["8:19: missing-key: a labelled client_ca needs the key \"file\""]),
    bundles("[]", expect: ["8:18: empty: found an empty list, expected at least one file"]),
  ]
}
