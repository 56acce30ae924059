import COpenSSL

/// A certificate's serial number, of any length and either sign (some CAs write negative ones).
struct SerialNumber {
  /// The octets of its absolute value, the most significant first.
  var magnitude: [UInt8]
  var isNegative: Bool

  init(magnitude: [UInt8], isNegative: Bool) {
    self.magnitude = magnitude
    self.isNegative = isNegative
  }

  /// - Parameter number: `ASN1_INTEGER`; lent.
  init(_ number: UnsafePointer<ASN1_INTEGER>) {
    magnitude = unsafe CertificateBytes.copy(number) ?? []
    isNegative = unsafe ASN1_STRING_type(number) == V_ASN1_NEG_INTEGER
  }

  /// Numbers of one kind have one length and one sign.
  var kind: Int { isNegative ? -magnitude.count : magnitude.count }
}
