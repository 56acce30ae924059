/// The oldest protocol version that a context speaks.
package enum TLSVersion: String, Sendable, CaseIterable {
  case tls12 = "1.2"
  case tls13 = "1.3"
}

/// What a listener shows its clients and asks of them.
package struct ServerContextOptions: Sendable {
  /// PEM: the leaf first, then its intermediates, each issued by the next.
  package var certificateChain: [UInt8]
  /// PEM, not encrypted.
  package var privateKey: [UInt8]
  /// PEM: every certificate in it is a trust anchor, intermediates too.
  package var clientCA: [UInt8]
  /// The oldest version that is spoken.
  package var minVersion: TLSVersion
  /// Protocol names in the order we prefer them; empty: ALPN is not spoken.
  package var alpn: [String]
  /// Whether a client may come without ALPN although there are protocol names.
  package var isProtocolOptional: Bool
  /// Whether clients may resume sessions.
  package var resumes: Bool
  /// The listener's name: sessions of one listener mean nothing to another.
  package var listener: String

  /// Options for one listener.
  package init(
    certificateChain: [UInt8], privateKey: [UInt8], clientCA: [UInt8], minVersion: TLSVersion = .tls12,
    alpn: [String] = [], isProtocolOptional: Bool = false, resumes: Bool = true,
    listener: String
  ) {
    self.certificateChain = certificateChain
    self.privateKey = privateKey
    self.clientCA = clientCA
    self.minVersion = minVersion
    self.alpn = alpn
    self.isProtocolOptional = isProtocolOptional
    self.resumes = resumes
    self.listener = listener
  }
}
