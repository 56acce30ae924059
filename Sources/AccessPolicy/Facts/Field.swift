/// Everything that a caller mapping or a rule can ask about a connection.
///
/// The raw value is the position in ``Facts``; the name is what people write in policy files.
package enum Field: UInt8, CaseIterable, Sendable, Hashable {
  case subjectCN, subjectO, subjectOU, subjectC, subjectL, subjectST, subjectDC, subjectUID
  case subjectSerialNumber, subjectDN
  case issuerCN, issuerO, issuerOU, issuerC, issuerL, issuerST, issuerDC, issuerUID
  case issuerSerialNumber, issuerDN
  case sanURI, sanDNS, sanEmail, sanIP, sanUPN
  case serial, sha256, spkiSHA256, ski, issuerSKI, rootSHA256, eku
  case trustLabel, keyType, keyBits, notBefore, notAfter, validFor, chainLength
  case tlsVersion, tlsCipher, tlsGroup, alpn, serverName, resumed
  case sourceIP, sourcePort, clientIP, clientPort
  case listener, upstream, `protocol`
  case time
  case postgresUser, postgresDatabase, postgresApplication, postgresReplication
  case mysqlUser, mysqlDatabase
}

extension Field {
  /// What a value of the field is, and so which matchers make sense for it.
  package enum Kind: Sendable {
    case text, texts, integer, flag, instant, address, addresses
    /// Time left until `not_after`: derived at the moment of the decision, in seconds.
    case duration
    /// The wall clock, asked by a time window; derived at the moment of the decision.
    case clock
  }

  package var kind: Kind {
    switch self {
    case .subjectCN, .subjectO, .subjectOU, .subjectC, .subjectL, .subjectST, .subjectDC, .subjectUID,
      .subjectSerialNumber, .issuerCN, .issuerO, .issuerOU, .issuerC, .issuerL, .issuerST, .issuerDC,
      .issuerUID, .issuerSerialNumber, .sanURI, .sanDNS, .sanEmail, .sanUPN, .eku:
      return .texts
    case .subjectDN, .issuerDN, .serial, .sha256, .spkiSHA256, .ski, .issuerSKI, .rootSHA256, .trustLabel,
      .keyType, .tlsVersion, .tlsCipher, .tlsGroup, .alpn, .serverName, .listener, .upstream, .protocol,
      .postgresUser, .postgresDatabase, .postgresApplication, .postgresReplication, .mysqlUser,
      .mysqlDatabase:
      return .text
    case .keyBits, .chainLength, .sourcePort, .clientPort: return .integer
    case .resumed: return .flag
    case .notBefore, .notAfter: return .instant
    case .sourceIP, .clientIP: return .address
    case .sanIP: return .addresses
    case .validFor: return .duration
    case .time: return .clock
    }
  }

  /// The name in policy files, tests, `--set` and `explain`.
  package var name: String { Self.names[Int(rawValue)] }

  /// - Returns: the field that people write as `name`, exactly as spelled.
  package init?(name: String) {
    guard let field = Self.byName[name] else { return nil }
    self = field
  }

  private static let names: [String] = allCases.map(\.spelling)
  private static let byName: [String: Field] = Dictionary(
    uniqueKeysWithValues: allCases.map { ($0.spelling, $0) })

  private var spelling: String {
    switch self {
    case .subjectCN: "subject_cn"
    case .subjectO: "subject_o"
    case .subjectOU: "subject_ou"
    case .subjectC: "subject_c"
    case .subjectL: "subject_l"
    case .subjectST: "subject_st"
    case .subjectDC: "subject_dc"
    case .subjectUID: "subject_uid"
    case .subjectSerialNumber: "subject_serial_number"
    case .subjectDN: "subject_dn"
    case .issuerCN: "issuer_cn"
    case .issuerO: "issuer_o"
    case .issuerOU: "issuer_ou"
    case .issuerC: "issuer_c"
    case .issuerL: "issuer_l"
    case .issuerST: "issuer_st"
    case .issuerDC: "issuer_dc"
    case .issuerUID: "issuer_uid"
    case .issuerSerialNumber: "issuer_serial_number"
    case .issuerDN: "issuer_dn"
    case .sanURI: "san_uri"
    case .sanDNS: "san_dns"
    case .sanEmail: "san_email"
    case .sanIP: "san_ip"
    case .sanUPN: "san_upn"
    case .serial: "serial"
    case .sha256: "sha256"
    case .spkiSHA256: "spki_sha256"
    case .ski: "ski"
    case .issuerSKI: "issuer_ski"
    case .rootSHA256: "root_sha256"
    case .eku: "eku"
    case .trustLabel: "trust_label"
    case .keyType: "key_type"
    case .keyBits: "key_bits"
    case .notBefore: "not_before"
    case .notAfter: "not_after"
    case .validFor: "valid_for"
    case .chainLength: "chain_length"
    case .tlsVersion: "tls_version"
    case .tlsCipher: "tls_cipher"
    case .tlsGroup: "tls_group"
    case .alpn: "alpn"
    case .serverName: "server_name"
    case .resumed: "resumed"
    case .sourceIP: "source_ip"
    case .sourcePort: "source_port"
    case .clientIP: "client_ip"
    case .clientPort: "client_port"
    case .listener: "listener"
    case .upstream: "upstream"
    case .protocol: "protocol"
    case .time: "time"
    case .postgresUser: "postgres_user"
    case .postgresDatabase: "postgres_database"
    case .postgresApplication: "postgres_application"
    case .postgresReplication: "postgres_replication"
    case .mysqlUser: "mysql_user"
    case .mysqlDatabase: "mysql_database"
    }
  }
}
