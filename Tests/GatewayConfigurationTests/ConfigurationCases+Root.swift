extension ConfigurationDiagnosticsTests.Case {
  static let root = [
    Self(
      replacing: "version: 1\n",
      with: "",
      expect: [
        "1:1: missing-key: the configuration needs the key \"version\""
      ]),
    Self(
      replacing: "version: 1",
      with: "version: 2",
      expect: [
        "1:10: invalid-value: found version \"2\", expected 1 (this version of countersign reads "
          + "version 1)"
      ]),
    Self(
      replacing: "version: 1",
      with: "version: \"1.0\"",
      expect: [
        "1:10: invalid-value: found version \"1.0\", expected 1 (this version of countersign "
          + "reads version 1)"
      ]),
    Self(
      replacing: "version: 1",
      with: "version:",
      expect: [
        "1:9: wrong-type: found nothing, expected 1"
      ]),
    Self(
      replacing: "version: 1",
      with: "vesion: 1",
      expect: [
        "1:1: unknown-key: unknown key \"vesion\" in the configuration (did you mean \"version\"?)",
        "1:1: missing-key: the configuration needs the key \"version\"",
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\npolices: [x]",
      expect: [
        "14:1: unknown-key: unknown key \"polices\" in the configuration (did you mean \"policies\"?)"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nzzz: 1",
      expect: [
        "14:1: unknown-key: unknown key \"zzz\" in the configuration (known here: version, "
          + "listeners, upstreams, policies, audit, admin, limits, drain_timeout, workers)"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: []",
      expect: [
        "13:11: empty: found an empty list, expected at least one glob of policy files"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies:",
      expect: [
        "13:10: wrong-type: found nothing, expected the path of policy files or a glob"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: {a: b}",
      expect: [
        "13:11: wrong-type: found a mapping, expected the path of policy files or a glob"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [[p.yaml]]",
      expect: [
        "13:12: wrong-type: found a list, expected the path of policy files or a glob"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [\"\"]",
      expect: [
        "13:12: invalid-value: found an empty text, expected the path of policy files or a glob"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [a/*.yaml, Policies/**/*.yaml]",
      expect: [
        "13:22: invalid-value: found \"**\" in a glob of policy files (name each folder: "
          + "[Policies/*.yaml, Policies/teams/*.yaml])"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nworkers: 0",
      expect: [
        "14:10: out-of-range: found \"0\", expected a whole number from 1 to 1024"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nworkers: 1025",
      expect: [
        "14:10: out-of-range: found \"1025\", expected a whole number from 1 to 1024"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nworkers: many",
      expect: [
        "14:10: wrong-type: found \"many\", expected auto or a whole number from 1 to 1024"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nworkers: [1]",
      expect: [
        "14:10: wrong-type: found a list, expected auto or a whole number from 1 to 1024"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nworkers: -1",
      expect: [
        "14:10: wrong-type: found \"-1\", expected a whole number from 1 to 1024"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\ndrain_timeout: 30",
      expect: [
        "14:16: invalid-value: found \"30\", expected a duration such as 10s, 5m, 24h or 90d"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\ndrain_timeout: 4000d",
      expect: [
        "14:16: out-of-range: found \"4000d\", expected a duration of at most 3650d"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\ndrain_timeout: ~",
      expect: [
        "14:16: wrong-type: found nothing, expected a duration such as 10s, 5m, 24h or 90d"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nadmin: {listen: 127.0.0.1:9901}",
      expect: [
        "14:1: not-available: admin is not available in this version of countersign (remove it; "
          + "to ignore it would promise what does not happen)"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nadmin: {listen: unix:run/a.sock}",
      expect: [
        "14:1: not-available: admin is not available in this version of countersign (remove it; "
          + "to ignore it would promise what does not happen)"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nadmin: {listen: localhost:9901}",
      expect: [
        "14:1: not-available: admin is not available in this version of countersign (remove it; "
          + "to ignore it would promise what does not happen)",
        "14:17: invalid-value: found \"localhost:9901\", expected an IP address and a port, such "
          + "as 127.0.0.1:9901, or unix:PATH (a DNS name may change under a running gateway; write "
          + "the IP address)",
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nadmin: {}",
      expect: [
        "14:1: not-available: admin is not available in this version of countersign (remove it; "
          + "to ignore it would promise what does not happen)",
        "14:8: missing-key: admin needs the key \"listen\"",
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nadmin: yes",
      expect: [
        "14:8: wrong-type: found \"yes\", expected a mapping for admin"
      ]),
  ]
}
