extension ConfigurationDiagnosticsTests.Case {
  static let tls = [
    Self(
      replacing: "      certificate: a.pem",
      with: "      cert: a.pem",
      expect: [
        "6:7: unknown-key: unknown key \"cert\" in a listener's tls (known here: certificate, "
          + "private_key, private_key_passphrase, pkcs12, ocsp_response, client_ca, client_crl, crl_stale, "
          + "crl_required, min_version, alpn, hosts, unknown_server_name, resumption)",
        "6:7: missing-key: a listener's tls needs the key \"certificate\"",
      ]),
    Self(
      replacing: "      certificate: a.pem",
      with: "      certificate: [a.pem, b.pem]",
      expect: [
        "7:7: count-mismatch: certificate names 2 and private_key 1 of them "
          + "(each certificate has a key of its own; the order does not matter)"
      ]),
    Self(
      replacing: "      certificate: a.pem",
      with: "      certificate: []",
      expect: [
        "6:20: empty: found an empty list, expected at least one file"
      ]),
    Self(
      replacing: "      certificate: a.pem",
      with: "      certificate: \"\"",
      expect: [
        "6:20: invalid-value: found an empty text, expected the path of a PEM file"
      ]),
    Self(
      replacing: "      private_key: a.key",
      with: "      private_key: [a.key, b.key]",
      expect: [
        "7:7: count-mismatch: certificate names 1 and private_key 2 of them "
          + "(each certificate has a key of its own; the order does not matter)"
      ]),
    Self(
      replacing: "      private_key: a.key",
      with: "      private_key: {file: a}",
      expect: [
        "7:20: wrong-type: found a mapping, expected the path of a PEM file"
      ]),
    Self(
      replacing: "      client_ca: ca.pem",
      with: "      client_ca:",
      expect: [
        "8:17: wrong-type: found nothing, expected the path of a PEM file"
      ]),
    Self(
      replacing: "      client_ca: ca.pem",
      with: "      client_ca: [{lable: workers, file: a.pem}]",
      expect: [
        "8:19: missing-key: a labelled client_ca needs the key \"label\"",
        "8:20: unknown-key: unknown key \"lable\" in a labelled client_ca (did you mean \"label\"?)",
      ]),
    Self(
      replacing: "      client_ca: ca.pem",
      with: "      client_ca: ca.pem\n      client_crl: []",
      expect: [
        "9:19: empty: found an empty list, expected at least one file"
      ]),
    Self(
      replacing: "      client_ca: ca.pem",
      with: "      client_ca: ca.pem\n      client_crl: [a.crl, b.crl, a.crl]",
      expect: [
        "9:34: duplicate-file: the CRL file \"a.crl\" is named twice (name it once)"
      ]),
    Self(
      replacing: "      client_ca: ca.pem",
      with: "      client_ca: ca.pem\n      crl_stale: {allow_for: 0s}",
      expect: [
        "9:30: out-of-range: found \"0s\", expected a duration longer than 0"
      ]),
    Self(
      replacing: "      client_ca: ca.pem",
      with: "      client_ca: ca.pem\n      crl_stale: ignore",
      expect: [
        "9:18: invalid-value: found \"ignore\", expected deny or allow"
      ]),
    Self(
      replacing: "      client_ca: ca.pem",
      with: "      client_ca: ca.pem\n      crl_required: yes",
      expect: [
        "9:21: wrong-type: found \"yes\", expected true or false"
      ]),
    Self(
      replacing: "      client_ca: ca.pem",
      with: "      client_ca: ca.pem\n      resumption: off",
      expect: [
        "9:19: wrong-type: found \"off\", expected true or false"
      ]),
    Self(
      replacing: "      client_ca: ca.pem",
      with: "      client_ca: ca.pem\n      min_version: 1.1",
      expect: [
        "9:20: invalid-value: found \"1.1\", expected 1.2 or 1.3"
      ]),
    Self(
      replacing: "      client_ca: ca.pem",
      with: "      client_ca: ca.pem\n      min_version: TLSv1.2",
      expect: [
        "9:20: invalid-value: found \"TLSv1.2\", expected 1.2 or 1.3"
      ]),
    Self(
      replacing: "      client_ca: ca.pem",
      with: "      client_ca: ca.pem\n      alpn: [h2, h2]",
      expect: [
        "9:18: duplicate-name: the protocol name \"h2\" is defined twice (the first one is in "
          + "line 9; names are unique)"
      ]),
    Self(
      replacing: "      client_ca: ca.pem",
      with: "      client_ca: ca.pem\n      alpn: [\"\"]",
      expect: [
        "9:14: invalid-value: found an empty text, expected a protocol name"
      ]),
    Self(
      replacing: "      client_ca: ca.pem",
      with:
        "      client_ca: ca.pem\n      alpn: [aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]",
      expect: [
        "9:14: out-of-range: the protocol name has 256 bytes, at most 255 are possible"
      ]),
    Self(
      replacing: "      client_ca: ca.pem",
      with: "      client_ca: ca.pem\n      unknown_server_name: deny",
      expect: [
        "9:28: invalid-value: found \"deny\", expected default or refuse"
      ]),
  ]
}
