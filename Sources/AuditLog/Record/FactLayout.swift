import AccessPolicy

/// Where each fact stands in a record: the one table that the encoder writes by and the reader reads by.
///
/// A fact stands where the Elastic Common Schema has a place for it, else under `countersign`. An absent
/// member is an unknown fact. Subject alternative names share one ECS array; each carries its type in
/// front (`URI:`, `DNS:`, …), which the first colon ends, so that types and their order come back exactly.
enum FactLayout {
  typealias Member = (field: Field, key: String)

  static let source: [Member] = [(.sourceIP, "ip"), (.sourcePort, "port")]
  static let client: [Member] = [(.clientIP, "ip"), (.clientPort, "port")]
  static let tls: [Member] = [
    (.tlsVersion, "version"), (.tlsCipher, "cipher"), (.tlsGroup, "curve"), (.resumed, "resumed"),
    (.alpn, "next_protocol"),
  ]
  static let tlsClient: [Member] = [(.serverName, "server_name")]
  static let hash: [Member] = [(.sha256, "sha256")]
  static let certificate: [Member] = [
    (.serial, "serial_number"), (.notBefore, "not_before"), (.notAfter, "not_after"),
    (.keyType, "public_key_algorithm"), (.keyBits, "public_key_size"),
  ]
  static let subject: [Member] = [
    (.subjectDN, "distinguished_name"), (.subjectCN, "common_name"), (.subjectO, "organization"),
    (.subjectOU, "organizational_unit"), (.subjectC, "country"), (.subjectL, "locality"),
    (.subjectST, "state_or_province"),
  ]
  static let issuer: [Member] = [
    (.issuerDN, "distinguished_name"), (.issuerCN, "common_name"), (.issuerO, "organization"),
    (.issuerOU, "organizational_unit"), (.issuerC, "country"), (.issuerL, "locality"),
    (.issuerST, "state_or_province"),
  ]
  static let names: [Member] = [
    (.sanURI, "URI:"), (.sanDNS, "DNS:"), (.sanEmail, "email:"), (.sanIP, "IP:"), (.sanUPN, "UPN:"),
  ]
  static let gateway: [Member] = [(.listener, "listener"), (.upstream, "upstream")]
  static let postgres: [Member] = [
    (.postgresUser, "user"), (.postgresDatabase, "database"), (.postgresApplication, "application"),
    (.postgresReplication, "replication"),
  ]
  static let mysql: [Member] = [(.mysqlUser, "user"), (.mysqlDatabase, "database")]
  /// What ECS has no place for, under the names of the policy language.
  static let rest: [Member] = [
    .protocol, .trustLabel, .eku, .spkiSHA256, .ski, .issuerSKI, .rootSHA256, .chainLength,
    .subjectDC, .subjectUID, .subjectSerialNumber, .issuerDC, .issuerUID, .issuerSerialNumber,
    .validFor, .time,
  ].map { ($0, $0.name) }

  static let factsPath = ["countersign", "facts"]
  static let namesPath = ["tls", "client", "x509", "alternative_names"]

  /// Every group but the alternative names, with the object that holds it.
  static let groups: [(path: [String], members: [Member])] = [
    (["source"], source), (["client"], client), (["tls"], tls), (["tls", "client"], tlsClient),
    (["tls", "client", "hash"], hash), (["tls", "client", "x509"], certificate),
    (["tls", "client", "x509", "subject"], subject), (["tls", "client", "x509", "issuer"], issuer),
    (["countersign"], gateway), (["countersign", "postgres"], postgres),
    (["countersign", "mysql"], mysql), (factsPath, rest),
  ]
}

extension JSONWriter {
  /// The known ones of a group's facts.
  mutating func facts(_ members: [FactLayout.Member], _ facts: Facts) {
    for member in members {
      guard let value = facts[member.field] else { continue }
      fact(member.key, value)
    }
  }

  mutating func fact(_ name: String, _ value: FactValue) {
    switch value {
    case .text(let value): text(name, value)
    case .texts(let values): texts(name, values)
    case .integer(let value): integer(name, value)
    case .flag(let value): flag(name, value)
    case .instant(let value): instant(name, value)
    case .address(let value): text(name, value.text)
    case .addresses(let values): texts(name, values.map(\.text))
    }
  }

  /// All subject alternative names in one array. An empty list of one type cannot be told from none there,
  /// and stands under `countersign.facts`; see ``emptyAlternativeNames(_:)``.
  mutating func alternativeNames(_ facts: Facts) {
    var all: [String] = []
    for member in FactLayout.names {
      switch facts[member.field] {
      case .texts(let values): all += values.map { member.key + $0 }
      case .addresses(let values): all += values.map { member.key + $0.text }
      default: break
      }
    }
    if !all.isEmpty { texts("alternative_names", all) }
  }

  mutating func emptyAlternativeNames(_ facts: Facts) {
    for member in FactLayout.names {
      switch facts[member.field] {
      case .texts([]), .addresses([]): texts(member.field.name, [])
      default: break
      }
    }
  }
}
