extension ConfigurationDiagnosticsTests.Case {
  static let auditAndLimits = [
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\naudit: {path: log/}",
      expect: [
        "14:15: invalid-value: found \"log/\", expected a file's path (the log is one file; a "
          + "path that ends with \"/\" is a folder)"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\naudit: {path: }",
      expect: [
        "14:15: wrong-type: found nothing, expected stdout, stderr or a path"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\naudit: {durability: synced}",
      expect: [
        "14:21: contradiction: records that go to stdout cannot be synced (name a file in audit.path, or "
          + "write durability: written)"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\naudit: {durability: synced, path: stderr}",
      expect: [
        "14:21: contradiction: records that go to stderr cannot be synced (name a file in audit.path, or "
          + "write durability: written)"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\naudit: {durability: fsync}",
      expect: [
        "14:21: invalid-value: found \"fsync\", expected written or synced"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\naudit: {when_unavailable: ignore}",
      expect: [
        "14:27: invalid-value: found \"ignore\", expected refuse or allow_unlogged"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\naudit: {integrity: on}",
      expect: [
        "14:20: wrong-type: found \"on\", expected true or false"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\naudit: {key: k.bin, integrity: false}",
      expect: [
        "14:9: contradiction: audit.key is the key of the chain, and there is none (remove it, or "
          + "integrity: false)"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\naudit: stdout",
      expect: [
        "14:8: wrong-type: found \"stdout\", expected a mapping for audit"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nlimits: {max_connections: 0}",
      expect: [
        "14:27: out-of-range: found \"0\", expected a whole number from 1 to 1000000"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nlimits: {max_connections: 1e4}",
      expect: [
        "14:27: wrong-type: found \"1e4\", expected a whole number from 1 to 1000000"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nlimits: {max_connections: 99999999999999999999}",
      expect: [
        "14:27: out-of-range: found \"99999999999999999999\", expected a whole number from 1 to 1000000"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nlimits: {max_handshakes: many}",
      expect: [
        "14:26: wrong-type: found \"many\", expected a whole number from 1 to 1000000"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nlimits: {handshake_timeout: 0s}",
      expect: [
        "14:29: out-of-range: found \"0s\", expected a duration longer than 0"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nlimits: {idle_timeout: 0}",
      expect: [
        "14:24: out-of-range: found \"0\", expected a duration longer than 0"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nlimits: {idle_timeout: 1 h}",
      expect: [
        "14:24: invalid-value: found \"1 h\", expected a duration such as 10s, 5m, 24h or 90d"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nlimits: {max_connection_age: 5000d}",
      expect: [
        "14:30: out-of-range: found \"5000d\", expected a duration of at most 3650d"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nlimits: {max_connections_per_caller: -1}",
      expect: [
        "14:38: wrong-type: found \"-1\", expected a whole number from 0 to 1000000"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nlimits: {connection_rate_per_source: 20}",
      expect: [
        "14:38: invalid-value: found \"20\", expected a rate such as 20/s, 300/m or 0/s (the "
          + "number is at most 1000000)"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nlimits: {connection_rate_per_source: 20/d}",
      expect: [
        "14:38: invalid-value: found \"20/d\", expected a rate such as 20/s, 300/m or 0/s (the "
          + "number is at most 1000000)"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nlimits: {connection_rate_per_source: 1000001/h}",
      expect: [
        "14:38: invalid-value: found \"1000001/h\", expected a rate such as 20/s, 300/m or 0/s (the "
          + "number is at most 1000000)"
      ]),
    Self(
      replacing: "policies: [p.yaml]",
      with: "policies: [p.yaml]\nlimits: {max_conections: 5}",
      expect: [
        "14:10: unknown-key: unknown key \"max_conections\" in limits (did you mean \"max_connections\"?)"
      ]),
  ]
}
