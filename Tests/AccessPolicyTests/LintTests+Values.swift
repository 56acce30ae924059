import AccessPolicy

/// Values that no connection has, and their neighbours that some have.
enum DomainCases {
  private static func dead(_ field: Field, _ matcher: ValueMatcher) -> LintTests.Case {
    LintTests.Case(
      name: "\(field.name): no \(matcher)",
      rules: [Make.rule("r", .deny, when: [LintTests.when(field, matcher)])],
      findings: LintTests.never("impossible-value", "no connection has such a \(field.name)"))
  }

  private static func alive(_ field: Field, _ matcher: ValueMatcher) -> LintTests.Case {
    LintTests.Case(
      name: "\(field.name): \(matcher)",
      rules: [Make.rule("r", .deny, when: [LintTests.when(field, matcher)])])
  }

  private static func about(
    _ listeners: [String]?, _ field: Field, _ matcher: ValueMatcher, never wanted: String?
  ) -> LintTests.Case {
    LintTests.Case(
      name: "\(field.name) \(matcher) at \(listeners ?? ["every listener"])",
      rules: [Make.rule("r", .deny, listeners: listeners, when: [LintTests.when(field, matcher)])],
      findings: wanted.map {
        LintTests.never("impossible-value", "no listener that it is about has 'protocol: \($0)'")
      } ?? [])
  }

  static let all: [LintTests.Case] = [
    dead(.upstream, .plain("db")), alive(.upstream, .plain("db-server")),
    dead(.protocol, .plain("postgresql")), alive(.protocol, .plain("mysql")),
    dead(.trustLabel, .plain("internal")), alive(.trustLabel, .plain("workers")),
    alive(.trustLabel, .glob("*")),
    alive(.trustLabel, .present(true)), alive(.trustLabel, .present(false)),
    alive(.resumed, .plain("true")), alive(.resumed, .plain("false")),
    dead(.keyType, .plain("RSA")), dead(.keyType, .plain("ecdsa")), alive(.keyType, .plain("rsa-pss")),
    alive(.keyType, .plain("ml-dsa-65")), alive(.keyType, .prefix("rsa")),
    dead(.eku, .plain("client_auth")), dead(.eku, .plain("1.3.6.1.5.5.7.3.2")), dead(.eku, .plain("1..2")),
    alive(.eku, .plain("clientAuth")), alive(.eku, .plain("1.3.6.1.4.1.311.20.2.2")),
    dead(.tlsGroup, .plain("X25519")), dead(.tlsGroup, .plain("P-256")),
    alive(.tlsGroup, .plain("secp256r1")),
    alive(.tlsGroup, .plain("X25519MLKEM768")),
    dead(.tlsCipher, .plain("ECDHE-RSA-AES128-GCM-SHA256")), dead(.tlsCipher, .suffix("_CBC_SHA")),
    alive(.tlsCipher, .plain("TLS_AES_128_GCM_SHA256")), alive(.tlsCipher, .prefix("TLS_ECDHE_")),
    about(["api"], .postgresUser, .plain("a"), never: "postgres"),
    about(["api"], .postgresReplication, .present(true), never: "postgres"),
    about(["api"], .postgresReplication, .present(false), never: nil),
    about(["db"], .postgresUser, .plain("a"), never: nil),
    about(["*"], .postgresUser, .plain("a"), never: nil),
    about(nil, .postgresUser, .plain("a"), never: nil),
    about(["db"], .mysqlUser, .plain("a"), never: "mysql"),
    about(nil, .mysqlDatabase, .plain("a"), never: "mysql"),
  ]
}
