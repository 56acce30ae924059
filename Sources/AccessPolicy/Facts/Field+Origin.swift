extension Field {
  /// Whether the client says it of itself in its first message: known only after the caller was named, and
  /// proven by nothing.
  var isClaimedByClient: Bool {
    switch self {
    case .postgresUser, .postgresDatabase, .postgresApplication, .postgresReplication, .mysqlUser,
      .mysqlDatabase:
      true
    default: false
    }
  }

  /// Whether a certification authority has signed it. What else is known of a connection the client may
  /// choose (server name, ALPN, ports), so it must not become a part of the client's name.
  package var isCertified: Bool {
    switch self {
    case .subjectCN, .subjectO, .subjectOU, .subjectC, .subjectL, .subjectST, .subjectDC, .subjectUID,
      .subjectSerialNumber, .subjectDN, .issuerCN, .issuerO, .issuerOU, .issuerC, .issuerL, .issuerST,
      .issuerDC, .issuerUID, .issuerSerialNumber, .issuerDN, .sanURI, .sanDNS, .sanEmail, .sanIP, .sanUPN,
      .serial, .sha256, .spkiSHA256, .ski, .issuerSKI, .rootSHA256, .eku, .trustLabel, .keyType, .keyBits,
      .notBefore, .notAfter, .validFor, .chainLength:
      true
    case .tlsVersion, .tlsCipher, .tlsGroup, .alpn, .serverName, .resumed, .sourceIP, .sourcePort,
      .clientIP, .clientPort, .listener, .upstream, .protocol, .time, .postgresUser, .postgresDatabase,
      .postgresApplication, .postgresReplication, .mysqlUser, .mysqlDatabase:
      false
    }
  }

  /// How many hexadecimal digits each value has, where they all have the same number.
  var hexadecimalDigits: Int? {
    switch self {
    case .sha256, .spkiSHA256, .rootSHA256: 64
    default: nil
    }
  }
}
